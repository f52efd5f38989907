import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { geluTanh, type Nonlinearity } from "../../engine/nonlinearity.ts";
import type { Attribute, GraphBuilder } from "./graph-builder.ts";

interface Place {
  readonly graph: GraphBuilder;
  /** Of the node, which the last operator is named after. */
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

type Rule = (place: Place) => void;

/** One operator, that is all. */
const single =
  (operator: string, attributes: Readonly<Record<string, Attribute>> = {}): Rule =>
  ({ graph, name, input, output }) => {
    graph.node(operator, [input], { name, output, attributes });
  };

/** x times what `gate` adds, whose value it gives. */
const gated =
  (gate: (place: Place) => string): Rule =>
  (place) => {
    const { graph, name, input, output } = place;
    graph.node("Mul", [input, gate(place)], { name, output });
  };

/** factor·x + summand. */
function line(
  { graph, name }: Place,
  part: string,
  { of, factor, summand }: { readonly of: string; readonly factor: number; readonly summand: number },
): string {
  const [times, plus] = [graph.floats(`${name}.${part}.factor`, [factor], []), `${name}.${part}.summand`];
  const scaled = graph.node("Mul", [of, times], { name: `${name}.${part}.scaled` });
  if (summand === 0) return scaled;
  return graph.node("Add", [scaled, graph.floats(plus, [summand], [])], { name: `${name}.${part}` });
}

/** By the operators that every runtime of operator set 13 has; onnxruntime makes one kernel of GELU's. */
const rules: ByKind<Nonlinearity, [Place], void> = {
  sigmoid: (_, place) => single("Sigmoid")(place),
  tanh: (_, place) => single("Tanh")(place),
  softplus: (_, place) => single("Softplus")(place),
  sqrt: (_, place) => single("Sqrt")(place),
  reciprocal: (_, place) => single("Reciprocal")(place),
  "hard-sigmoid": ({ slope, offset }, place) =>
    single("HardSigmoid", { alpha: { float: slope }, beta: { float: offset } })(place),
  "leaky-relu": ({ slope }, place) => single("LeakyRelu", { alpha: { float: slope } })(place),
  elu: ({ scale }, place) => single("Elu", { alpha: { float: scale } })(place),
  silu: (_, place) =>
    gated(({ graph, name, input }) => graph.node("Sigmoid", [input], { name: `${name}.gate` }))(place),
  mish: (_, place) =>
    gated(({ graph, name, input }) => {
      const soft = graph.node("Softplus", [input], { name: `${name}.softplus` });
      return graph.node("Tanh", [soft], { name: `${name}.gate` });
    })(place),
  "hard-swish": (_, place) =>
    gated(({ graph, name, input }) => {
      const attributes = { alpha: { float: 1 / 6 }, beta: { float: 0.5 } };
      return graph.node("HardSigmoid", [input], { name: `${name}.gate`, attributes });
    })(place),
  gelu(_, { graph, name, input, output }) {
    const root = graph.floats(`${name}.root`, [Math.SQRT2], []);
    const argument = graph.node("Div", [input, root], { name: `${name}.argument` });
    const error = graph.node("Erf", [argument], { name: `${name}.erf` });
    const sum = graph.node("Add", [error, graph.floats(`${name}.one`, [1], [])], { name: `${name}.sum` });
    const product = graph.node("Mul", [input, sum], { name: `${name}.product` });
    graph.node("Mul", [product, graph.floats(`${name}.half`, [0.5], [])], { name, output });
  },
  "gelu-tanh": (_, place) =>
    gated((place) => {
      const { graph, name, input } = place;
      const { factor, cubic } = geluTanh;
      const square = graph.node("Mul", [input, input], { name: `${name}.square` });
      const sum = line(place, "sum", { of: square, factor: factor * cubic, summand: factor });
      const argument = graph.node("Mul", [input, sum], { name: `${name}.argument` });
      const tanh = graph.node("Tanh", [argument], { name: `${name}.tanh` });
      return line(place, "gate", { of: tanh, factor: 0.5, summand: 0.5 });
    })(place),
};

/** Adds the operators of a nonlinearity. */
export const addNonlinear = (of: Nonlinearity, place: Place): void => applyByKind(rules, of, place);
