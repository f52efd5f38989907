import { first } from "../../../core/elements.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, dimsOf, elementsIn, type Floats, numbersOf, type Value } from "../value.ts";
import { combined, joinsConstants, mapped } from "./arithmetic-operators.ts";

export const relu: Operator = (node, translation) => rectified(node, translation, null);

/** A clip to [0, limit]. */
export const clip: Operator = (node, translation) => {
  const { attributes } = node;
  const bound = (name: string, index: number, open: number) =>
    translation.has(node, index) ? scalar(translation.constant(node, index)) : attributes.float(name, open);
  const smallest = bound("min", 1, Number.NEGATIVE_INFINITY);
  const largest = bound("max", 2, Number.POSITIVE_INFINITY);
  if (translation.isConstant(node, 0)) {
    return mapped(translation, translation.constant(node, 0), (x) => Math.min(largest, Math.max(smallest, x)));
  }
  if (smallest !== 0 || !(largest > 0))
    throw new Unsupported(`it clips to [${smallest}, ${largest}], expected [0, limit]`);
  // Frameworks write the largest float32 for no limit.
  return rectified(node, translation, largest > 3.4e38 ? null : largest);
};

/** The smaller of a ReLU's output and a limit: ReLU6 as some exporters write it. */
export const min: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, Math.min);
  const index = translation.value(node, 0).kind === "activation" ? 0 : 1;
  const limit = scalar(translation.floats(node, 1 - index));
  const x = translation.activation(node, index);
  if (!(limit > 0)) throw new Unsupported(`its limit is ${limit}, expected more than 0`);
  if (!translation.hasOneReader(x) || !translation.writer.limitRelu(x.node, limit)) {
    throw new Unsupported("it stands behind no ReLU of its own");
  }
  return x;
};

/** The larger of x and 0. */
export const max: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, Math.max);
  const index = translation.value(node, 0).kind === "activation" ? 0 : 1;
  const smallest = scalar(translation.floats(node, 1 - index));
  if (smallest !== 0) throw new Unsupported(`it takes the larger of x and ${smallest}, expected 0`);
  return rectified(node, translation, null, index);
};

function rectified(node: OnnxNode, translation: Translation, limit: number | null, index = 0): Value {
  const x = translation.activation(node, index);
  // Two in a row are one.
  if (translation.hasOneReader(x) && translation.writer.limitRelu(x.node, limit)) return x;
  const id = translation.writer.name(nodeName(node));
  return { ...x, node: translation.writer.push({ kind: "relu", id, inputs: [x.node], limit }) };
}

/** A sum of two activations, a layer's bias, or a constant summand. */
export const add: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a + b);
  const index = constantInput(node, translation);
  if (index === null) return joined(node, translation, "add");
  const x = translation.activation(node, 1 - index, { keepPadding: true });
  const values = perChannel(translation.floats(node, index), x);
  const layer = translation.layerBefore(x);
  if (layer !== null) return { ...x, node: translation.writer.bias(layer, values) };
  return affine(node, translation, 1 - index, { scale: values.map(() => 1), shift: values });
};

/** A difference of an activation and a constant. */
export const sub: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a - b);
  const index = constantInput(node, translation);
  if (index === null) throw new Unsupported("it subtracts what is computed, expected a constant");
  const x = translation.activation(node, 1 - index);
  const values = perChannel(translation.floats(node, index), x);
  const [sign, shift] = index === 1 ? [1, values.map((value) => -value)] : [-1, values];
  return affine(node, translation, 1 - index, { scale: values.map(() => sign), shift });
};

/**
 * A product of two activations, or a constant factor per channel, which goes into the weight of the layer that it stands
 * behind, as exporters leave of batch normalization.
 */
export const mul: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a * b);
  const index = constantInput(node, translation);
  if (index === null) return joined(node, translation, "multiply");
  const x = translation.activation(node, 1 - index, { keepPadding: true });
  return scaled(node, translation, 1 - index, perChannel(translation.floats(node, index), x));
};

/** An activation over a constant. */
export const div: Operator = (node, translation) => {
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a / b);
  if (constantInput(node, translation) !== 1)
    throw new Unsupported("it divides by what is computed, expected a constant");
  const x = translation.activation(node, 0, { keepPadding: true });
  const factors = perChannel(translation.floats(node, 1), x).map((value) => 1 / value);
  return scaled(node, translation, 0, factors);
};

/** Which of two inputs is a constant; null: neither. */
function constantInput(node: OnnxNode, translation: Translation): 0 | 1 | null {
  if (translation.value(node, 0).kind !== "activation") return 0;
  return translation.value(node, 1).kind === "activation" ? null : 1;
}

/** An activation times a number for each channel. */
function scaled(node: OnnxNode, translation: Translation, index: number, factors: Float32Array): Value {
  const x = translation.activation(node, index, { keepPadding: true });
  const layer = translation.layerBefore(x);
  if (layer === null) return affine(node, translation, index, { scale: factors, shift: factors.map(() => 0) });
  translation.writer.scale(layer, factors);
  return x;
}

/** A factor and a summand for each channel behind what is no layer that could take them in. */
function affine(
  node: OnnxNode,
  translation: Translation,
  index: number,
  { scale, shift }: { readonly scale: Float32Array; readonly shift: Float32Array },
): Value {
  const x = translation.activation(node, index);
  const id = translation.writer.name(nodeName(node));
  return { ...x, node: translation.writer.affine(id, x.node, { scale: inOrder(x, scale), shift: inOrder(x, shift) }) };
}

/** Numbers for each unit of the file in the graph's order. */
const inOrder = ({ order }: Activation, values: Float32Array): Float32Array =>
  order === null ? values : Float32Array.from(order, (unit) => values[unit]!);

/** Two activations that meet element by element: of one shape, or one of them a number for each channel of an image. */
function joined(node: OnnxNode, translation: Translation, kind: "add" | "multiply"): Value {
  const [left, right] = [translation.activation(node, 0), translation.activation(node, 1)];
  const [large, small] = elementsIn(left.size) >= elementsIn(right.size) ? [left, right] : [right, left];
  const isRepeated = elementsIn(small.size) < elementsIn(large.size);
  const fits = isRepeated ? isAlongside(small, large) : `${dimsOf(left)}` === `${dimsOf(right)}`;
  if (!fits || (!isRepeated && left.vector !== right.vector)) {
    throw new Unsupported(
      `it joins [batch, ${dimsOf(left)}] and [batch, ${dimsOf(right)}], expected the same shape, or an image and a number for each of its channels or pixels`,
    );
  }
  const sameAxes = small.axes.every((axis, index) => axis === large.axes[index] || small.size[axis] === 1);
  if (!sameAxes || (isRepeated ? small.order !== null : !sameOrder(left, right))) {
    throw new Unsupported("it joins tensors whose axes are in different orders");
  }
  const id = translation.writer.name(nodeName(node));
  return { ...large, node: translation.writer.push({ kind, id, inputs: [left.node, right.node] }) };
}

/** Whether a tensor is as large as another, or 1, along every axis. */
const isAlongside = (small: Activation, large: Activation): boolean =>
  small.axes.length === large.axes.length &&
  (["height", "width", "channels"] as const).every(
    (axis) => small.size[axis] === 1 || small.size[axis] === large.size[axis],
  );

function sameOrder({ order: a }: Activation, { order: b }: Activation): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((unit, index) => unit === b[index]);
}

/** A constant that is the same for all rows and columns, as one number per channel. */
function perChannel({ dims, values }: Floats, { axes, size }: Activation): Float32Array {
  const { channels } = size;
  if (values.length === 1) return new Float32Array(channels).fill(first(values));
  // Shapes are aligned at their ends.
  const isPerChannel = dims.every(
    (length, index) => length === 1 || axes[axes.length - dims.length + index] === "channels",
  );
  if (!isPerChannel) throw new Unsupported(`its constant has the shape [${dims}], expected one number per channel`);
  if (values.length !== channels)
    throw new Damaged(`its constant has the shape [${dims}], it reads ${channels} channels`);
  return values;
}

function scalar(limit: Constant): number {
  const numbers = numbersOf(limit);
  if (numbers.length !== 1) throw new Damaged(`its limit is a tensor of shape [${limit.dims}], expected one number`);
  return first(numbers);
}
