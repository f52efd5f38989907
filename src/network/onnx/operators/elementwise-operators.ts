import { first } from "../../../core/elements.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, dimsOf, type Floats, numbersOf, type Value } from "../value.ts";
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

/** A residual sum, or a layer's bias. */
export const add: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a + b);
  const [left, right] = [translation.value(node, 0), translation.value(node, 1)];
  if (left.kind === "activation" && right.kind === "activation") return sum(node, translation);
  const index = left.kind === "activation" ? 0 : 1;
  const x = translation.activation(node, index, { keepPadding: true });
  const constant = translation.floats(node, 1 - index);
  const values = perChannel(constant, x);
  const layer = translation.layerBefore(x);
  return { ...x, node: translation.writer.bias(layer, values) };
};

/** A constant factor per channel behind a layer, as exporters leave of batch normalization: it goes into the weight. */
export const mul: Operator = (node, translation) => {
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (joinsConstants(node, translation)) return combined(node, translation, (a, b) => a * b);
  const index = translation.value(node, 0).kind === "activation" ? 0 : 1;
  const constant = translation.floats(node, 1 - index);
  const x = translation.activation(node, index, { keepPadding: true });
  const factors = perChannel(constant, x);
  translation.writer.scale(translation.layerBefore(x), factors);
  return x;
};

function sum(node: OnnxNode, translation: Translation): Value {
  const [left, right] = [translation.activation(node, 0), translation.activation(node, 1)];
  if (`${dimsOf(left)}` !== `${dimsOf(right)}` || left.vector !== right.vector) {
    throw new Unsupported(`it adds [batch, ${dimsOf(left)}] and [batch, ${dimsOf(right)}], expected the same shape`);
  }
  const sameAxes = left.axes.every((axis, index) => axis === right.axes[index] || left.size[axis] === 1);
  if (!sameAxes || !sameOrder(left, right)) {
    throw new Unsupported("it adds tensors whose axes are in different orders");
  }
  const id = translation.writer.name(nodeName(node));
  return { ...left, node: translation.writer.push({ kind: "add", id, inputs: [left.node, right.node] }) };
}

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
