import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedSize, dimsOf } from "../value.ts";
import { joinedConstants } from "./views-operators.ts";

/** Channels of several activations side by side, or constants one behind the other. */
export const concat: Operator = (node, translation) => {
  const isComputed = node.inputs.some((_, index) => translation.value(node, index).kind === "activation");
  return isComputed ? sideBySide(node, translation) : joinedConstants(node, translation);
};

function sideBySide(node: OnnxNode, translation: Translation): Activation {
  const wanted = node.attributes.int("axis", 0);
  const [first, second, ...others] = node.inputs.map((_, index) => translation.activation(node, index));
  if (first === undefined) throw new Unsupported("it joins nothing");
  if (second === undefined) return first;
  const parts = [first, second, ...others] as const;
  const rank = first.axes.length + 1;
  const axis = first.axes[(wanted < 0 ? wanted + rank : wanted) - 1];
  if (axis !== "channels") {
    throw new Unsupported(`it joins along axis ${wanted} of [batch, ${first.axes.join(", ")}], expected the channels`);
  }
  const fits = parts.every(
    ({ size, axes, vector }) =>
      `${axes}` === `${first.axes}` &&
      vector === first.vector &&
      size.height === first.size.height &&
      size.width === first.size.width,
  );
  if (!fits) {
    const shapes = parts.map((part) => `[batch, ${dimsOf(part)}]`).join(", ");
    throw new Unsupported(`it joins ${shapes}, expected the same axes and sizes but for the channels`);
  }
  const channels = parts.reduce((sum, { size }) => sum + size.channels, 0);
  const size = checkedSize({ ...first.size, channels });
  const id = translation.writer.name(nodeName(node));
  const inputs = [first.node, second.node, ...others.map(({ node }) => node)] as const;
  return { ...first, size, order: orderOf(parts), node: translation.writer.push({ kind: "concat", id, inputs }) };
}

/** Where the units of flattened images, one behind the other, stand in the file's. */
function orderOf(parts: readonly Activation[]): Int32Array | null {
  if (parts.every(({ order }) => order === null)) return null;
  let before = 0;
  const orders = parts.map(({ order, size }) => {
    const start = before;
    before += size.channels;
    return Array.from({ length: size.channels }, (_, unit) => start + (order?.[unit] ?? unit));
  });
  return Int32Array.from(orders.flat());
}
