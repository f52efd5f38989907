import { first } from "../../../core/elements.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, numbersOf, type Value } from "../value.ts";
import { combined, joinsConstants, mapped } from "./arithmetic-operators.ts";
import { plusNumber, timesConstant, timesNumber } from "./constant-operands.ts";
import { bothOf, rectifiedOf } from "./element-nodes.ts";

export const relu: Operator = (node, translation) => rectified(node, translation, translation.activation(node), null);

/** A clip to [smallest, largest]. */
export const clip: Operator = (node, translation) => {
  const { attributes } = node;
  const bound = (name: string, index: number, open: number) =>
    translation.has(node, index) ? scalar(translation.constant(node, index)) : attributes.float(name, open);
  const smallest = bound("min", 1, Number.NEGATIVE_INFINITY);
  const largest = bound("max", 2, Number.POSITIVE_INFINITY);
  if (translation.isConstant(node, 0)) {
    return mapped(translation, translation.constant(node, 0), (x) => Math.min(largest, Math.max(smallest, x)));
  }
  if (!(largest > smallest))
    throw new Unsupported(`it clips to [${smallest}, ${largest}], expected the smaller limit first`);
  return clamped(node, translation, translation.activation(node), [smallest, largest]);
};

/** The smaller of x and a number: ReLU6 as some exporters write it. */
export const min: Operator = (node, translation) =>
  bounded(node, translation, Math.min, (limit) => [Number.NEGATIVE_INFINITY, limit]);

/** The larger of x and a number. */
export const max: Operator = (node, translation) =>
  bounded(node, translation, Math.max, (limit) => [limit, Number.POSITIVE_INFINITY]);

type Bounds = readonly [smallest: number, largest: number];

function bounded(
  node: OnnxNode,
  translation: Translation,
  ofConstants: (one: number, other: number) => number,
  boundsOf: (limit: number) => Bounds,
): Value {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, ofConstants);
  const index = translation.value(node, 0).kind === "activation" ? 0 : 1;
  const limit = scalar(translation.floats(node, 1 - index));
  return clamped(node, translation, translation.activation(node, index), boundsOf(limit));
}

/** Frameworks write the largest float32 for no limit. */
const UNBOUNDED = 3.4e38;

/**
 * max(x, 0) - max(-x, 0), each up to its limit; a ReLU between two shifts where 0 is no limit or none between them. Shifts by a
 * limit that is far from x would take its last bits.
 */
function clamped(node: OnnxNode, translation: Translation, x: Activation, [smallest, largest]: Bounds): Activation {
  const [low, high] = [smallest > -UNBOUNDED ? smallest : null, largest < UNBOUNDED ? largest : null];
  if (low === null && high === null) return x;
  if (low !== null && low >= 0) {
    if (low === 0) return rectified(node, translation, x, high);
    const above = rectified(
      node,
      translation,
      plusNumber(node, translation, x, -low),
      high === null ? null : high - low,
    );
    return plusNumber(node, translation, above, low);
  }
  // Behind a ReLU of its own it is that one's limit.
  if (low === null && high !== null && high > 0 && isLimited(translation, x, high)) return x;
  const negative = timesNumber(node, translation, x, -1);
  if (high !== null && high <= 0) {
    const bounds = [-high, low === null ? Number.POSITIVE_INFINITY : -low] as const;
    return timesNumber(node, translation, clamped(node, translation, negative, bounds), -1);
  }
  const above = rectifiedOf(node, translation, x, high);
  const below = rectifiedOf(node, translation, negative, low === null ? null : -low);
  return bothOf(node, translation, [above, timesNumber(node, translation, below, -1)], "add");
}

const isLimited = (translation: Translation, x: Activation, limit: number | null): boolean =>
  translation.hasOneReader(x) && translation.writer.limitRelu(x.node, limit);

function rectified(node: OnnxNode, translation: Translation, x: Activation, limit: number | null): Activation {
  // Two in a row are one.
  if (isLimited(translation, x, limit)) return x;
  return rectifiedOf(node, translation, x, limit);
}

/** x, or a slope of each channel times x where that is below 0: max(x, 0) - slope·max(-x, 0). */
export const prelu: Operator = (node, translation) => {
  const slope = translation.floats(node, 1);
  const x = translation.activation(node);
  const above = rectifiedOf(node, translation, x);
  const below = rectifiedOf(node, translation, timesNumber(node, translation, x, -1));
  const values = slope.values.map((value) => -value);
  const sloped = timesConstant(node, translation, below, { ...slope, values });
  return bothOf(node, translation, [above, sloped], "add");
};

/** The one number of a constant. */
export function scalar(constant: Constant): number {
  const numbers = numbersOf(constant);
  if (numbers.length !== 1) throw new Damaged(`it takes a tensor of shape [${constant.dims}], expected one number`);
  return first(numbers);
}
