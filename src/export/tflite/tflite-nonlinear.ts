import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import type { Nonlinearity } from "../../engine/nonlinearity.ts";
import type { TfliteBuilder } from "./tflite-builder.ts";
import { type OperatorName, type OperatorOptions, optionsOf } from "./tflite-options.ts";

interface Place {
  readonly builder: TfliteBuilder;
  /** Of the node. */
  readonly id: string;
  readonly shape: readonly number[];
  readonly input: string;
  readonly output: string;
}

/** Adds an operator whose value is one on the way. */
const step = (place: Place, part: string, name: OperatorName, inputs: readonly string[]): string =>
  place.builder.operator(name, inputs, place.builder.value(`${place.id}.${part}`, { shape: place.shape }));

/** Adds an operator that gives the result. */
function end({ builder, output }: Place, name: OperatorName, inputs: readonly string[], options?: OperatorOptions) {
  builder.operator(name, inputs, output, options);
}

const number = ({ builder, id }: Place, part: string, value: number): string =>
  builder.floats(`${id}.${part}`, [value], [1]);

/** max(x, 0) + log(1 + exp(-|x|)), whose parts stay finite. */
function softplus(place: Place): readonly [string, string] {
  const { input } = place;
  const size = step(place, "size", "Abs", [input]);
  const exponential = step(place, "exponential", "Exp", [step(place, "negative", "Neg", [size])]);
  const sum = step(place, "sum", "Add", [exponential, number(place, "one", 1)]);
  return [step(place, "positive", "Relu", [input]), step(place, "logarithm", "Log", [sum])];
}

const rules: ByKind<Nonlinearity, [Place], void> = {
  sigmoid: (_, place) => end(place, "Logistic", [place.input]),
  tanh: (_, place) => end(place, "Tanh", [place.input]),
  softplus: (_, place) => end(place, "Add", softplus(place), optionsOf.add({ relu: false })),
  sqrt: (_, place) => end(place, "Sqrt", [place.input]),
  reciprocal: (_, place) => end(place, "Div", [number(place, "one", 1), place.input]),
  silu: (_, place) => end(place, "Mul", [place.input, step(place, "gate", "Logistic", [place.input])]),
  mish(_, place) {
    const sum = step(place, "softplus", "Add", softplus(place));
    end(place, "Mul", [place.input, step(place, "gate", "Tanh", [sum])]);
  },
  "hard-swish": (_, place) => end(place, "HardSwish", [place.input]),
  gelu: (_, place) => end(place, "Gelu", [place.input], optionsOf.gelu({ approximate: false })),
  "gelu-tanh": (_, place) => end(place, "Gelu", [place.input], optionsOf.gelu({ approximate: true })),
  "hard-sigmoid"({ slope, offset }, place) {
    const scaled = step(place, "scaled", "Mul", [place.input, number(place, "slope", slope)]);
    const line = step(place, "line", "Add", [scaled, number(place, "offset", offset)]);
    end(place, "Relu", [step(place, "capped", "Minimum", [line, number(place, "one", 1)])]);
  },
  "leaky-relu": ({ slope }, place) => end(place, "LeakyRelu", [place.input], optionsOf.leakyRelu(slope)),
  elu({ scale }, place) {
    if (scale === 1) return end(place, "Elu", [place.input]);
    const below = step(place, "below", "Minimum", [place.input, number(place, "zero", 0)]);
    const scaled = step(place, "scaled", "Mul", [step(place, "elu", "Elu", [below]), number(place, "scale", scale)]);
    return end(place, "Add", [step(place, "above", "Relu", [place.input]), scaled], optionsOf.add({ relu: false }));
  },
};

/** Adds the operators of a nonlinearity. */
export const addNonlinear = (of: Nonlinearity, place: Place): void => applyByKind(rules, of, place);
