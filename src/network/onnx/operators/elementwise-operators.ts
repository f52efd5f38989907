import { first } from "../../../core/elements.ts";
import { wholePower } from "../../../core/powers.ts";
import { tuple } from "../../../core/tuple.ts";
import { asScores } from "../masks.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, type Floats, numbersOf, type Value } from "../value.ts";
import {
  alongBoth,
  combined,
  constantOf,
  divided,
  joinsConstants,
  mapped,
  multiplied,
  samplesOf,
} from "./arithmetic-operators.ts";
import { scalar } from "./clamp-operators.ts";
import { plusConstant, plusNumber, timesConstant, timesNumber } from "./constant-operands.ts";
import { bothOf, nonlinearOf } from "./element-nodes.ts";
import { commonSizes } from "./views-operators.ts";

/** A sum of activations, a layer's bias, or a constant summand. */
export const add: Operator = (node, translation) => {
  if (node.inputs.length > 2) return sumOfMany(node, translation);
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a + b);
  const index = constantInput(node, translation);
  if (index === null) return joined(node, translation, "add");
  return plusConstant(node, translation, translation.activation(node, 1 - index), translation.floats(node, index));
};

function sumOfMany(node: OnnxNode, translation: Translation): Value {
  const [head, ...others] = node.inputs.map((_, index) => translation.activation(node, index));
  if (head === undefined) throw new Damaged("it adds nothing");
  return others.reduce((sum, x) => bothOf(node, translation, [sum, x], "add"), head);
}

/** A difference of activations, or of one and a constant. */
export const sub: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a - b);
  const index = constantInput(node, translation);
  if (index === 1) {
    const constant = translation.floats(node, 1);
    const values = constant.values.map((value) => -value);
    return plusConstant(node, translation, translation.activation(node), { ...constant, values });
  }
  const negative = timesNumber(node, translation, translation.activation(node, 1), -1);
  if (index === 0) return plusConstant(node, translation, negative, translation.floats(node, 0));
  return bothOf(node, translation, [translation.activation(node), negative], "add");
};

/**
 * A product of two activations, or a constant factor per channel, which goes into the weight of the layer that it stands
 * behind, as exporters leave of batch normalization.
 */
export const mul: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return multiplied(node, translation);
  const index = constantInput(node, translation);
  if (index === null) return joined(node, translation, "multiply");
  return timesConstant(node, translation, translation.activation(node, 1 - index), translation.floats(node, index));
};

/** A quotient of activations, or of one and a constant: times the reciprocal. */
export const div: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return divided(node, translation);
  const index = constantInput(node, translation);
  if (index === 1) {
    const constant = translation.floats(node, 1);
    const values = constant.values.map((value) => 1 / value);
    return timesConstant(node, translation, translation.activation(node), { ...constant, values });
  }
  const divisor = translation.activation(node, 1);
  if (divisor.integers) throw new Unsupported("it divides integers that are computed");
  const inverse = nonlinearOf(node, translation, divisor, { kind: "reciprocal" });
  if (index === 0) return timesConstant(node, translation, inverse, translation.floats(node, 0));
  return bothOf(node, translation, [translation.activation(node), inverse], "multiply");
};

/** An activation to a small whole power, its root or what that is the reciprocal of, or a constant to any power. */
export const pow: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return combined(node, translation, powerOf);
  const power = scalar(translation.constant(node, 1));
  const x = translation.activation(node);
  if (Math.abs(power) === 0.5) {
    const root = nonlinearOf(node, translation, x, { kind: "sqrt" });
    return power > 0 ? root : nonlinearOf(node, translation, root, { kind: "reciprocal" });
  }
  if (!(power === 1 || power === 2 || power === 3))
    throw new Unsupported(`its power is ${power}, expected 1, 2, 3, 0.5 or -0.5`);
  let product = x;
  for (let factors = 1; factors < power; factors++) product = bothOf(node, translation, [product, x], "multiply");
  return product;
};

function powerOf(base: number, exponent: number): number {
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent === -0.5) return 1 / Math.sqrt(base);
  if (!Number.isInteger(exponent) || exponent < 0)
    throw new Unsupported(`its power is ${exponent}, expected a whole number or a root`);
  return wholePower(base, exponent);
}

export const neg: Operator = (node, translation) =>
  translation.isConstant(node, 0)
    ? mapped(translation, translation.constant(node, 0), (x) => -x)
    : timesNumber(node, translation, translation.activation(node), -1);

/** Of truths, 0 and 1: whether both are true. */
export const and: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return combined(node, translation, Math.min);
  const index = constantInput(node, translation);
  if (index === null) return joined(node, translation, "multiply");
  const x = translation.activation(node, 1 - index);
  return timesConstant(node, translation, x, asFloats(translation.constant(node, index)));
};

/** Of truths: whether it is false. */
export const not: Operator = (node, translation) => {
  if (translation.isConstant(node, 0)) return mapped(translation, translation.constant(node, 0), (x) => 1 - x);
  return plusNumber(node, translation, timesNumber(node, translation, translation.activation(node), -1), 1);
};

/** One of two constants, by constants, or by truths that are computed. */
export const where: Operator = (node, translation) => {
  const [yes, no] = [translation.value(node, 1), translation.value(node, 2)];
  if (translation.isConstant(node, 0)) {
    const condition = translation.constant(node, 0);
    if (yes.kind === "activation" || no.kind === "activation")
      throw new Unsupported("it chooses between what is computed, expected constants");
    return chosen(translation, condition, yes, no);
  }
  if (yes.kind !== "floats" || no.kind !== "floats" || yes.values.length !== 1 || no.values.length !== 1)
    throw new Unsupported("it chooses between tensors, expected numbers");
  const isMask = translation.givesScores(node);
  const [one, other] = tuple(
    [yes, no].map(({ values }) => first(isMask ? asScores(values) : values)),
    2,
  );
  const x = { ...translation.activation(node), integers: false };
  const hidden = chosenByTruth(node, translation, x, [one, other]);
  if ([...yes.values, ...no.values].includes(Number.NEGATIVE_INFINITY)) translation.addHiding(hidden);
  return hidden;
};

/** One number where a truth, 1 or 0, is true, else another. */
function chosenByTruth(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  [one, other]: readonly [number, number],
): Activation {
  const difference = Math.fround(one - other);
  if (Math.fround(difference + other) === one)
    return plusNumber(node, translation, timesNumber(node, translation, x, difference), other);
  // A far larger number swallows a small one that is added to it: of the two, it is the one that is multiplied.
  const inverse = plusNumber(node, translation, timesNumber(node, translation, x, -1), 1);
  return plusNumber(node, translation, timesNumber(node, translation, inverse, -difference), one);
}

/** Which of two inputs is a constant; null: neither. */
function constantInput(node: OnnxNode, translation: Translation): 0 | 1 | null {
  if (translation.value(node, 0).kind !== "activation") return 0;
  return translation.value(node, 1).kind === "activation" ? null : 1;
}

/** Two activations that meet element by element. */
const joined = (node: OnnxNode, translation: Translation, kind: "add" | "multiply"): Value =>
  bothOf(node, translation, [translation.activation(node, 0), translation.activation(node, 1)], kind);

/** One of two constants for each element, aligned at their ends. */
function chosen(translation: Translation, condition: Constant, yes: Constant, no: Constant): Constant {
  if (yes.kind !== no.kind) throw new Damaged("it chooses between integers and float32");
  const dims = commonSizes(commonSizes(condition.dims, yes.dims), no.dims);
  const first = alongBoth(translation, [condition, yes], dims);
  const second = alongBoth(translation, [condition, no], dims);
  const values = first.map(([is, value], index) => (is === 0 ? (second[index]?.[1] ?? 0) : value));
  return constantOf(yes.kind, dims, values, samplesOf([condition, yes, no], dims));
}

const asFloats = (constant: Constant): Floats => ({
  ...constant,
  kind: "floats",
  values: Float32Array.from(numbersOf(constant)),
});
