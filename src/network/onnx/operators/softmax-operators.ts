import { trailing } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import { Unsupported } from "../problems.ts";
import type { Operator } from "../translation.ts";

/**
 * Over one axis, or in older files over all from one on. At the end of a network for classes it is left out, as classes
 * are told apart, and the loss is computed, from the logits before it.
 */
export const softmax: Operator = (node, translation) => {
  const isOld = translation.opset < 13;
  const wanted = node.attributes.int("axis", isOld ? 1 : -1);
  const x = translation.activation(node);
  const axis = axisOf(wanted, x.axes.length);
  const ending = node.operator === "LogSoftmax" ? "log-softmax" : "softmax";
  const isRow = `${x.axes[0]}` === "0" && x.axes.every((factors, index) => index <= 1 || factors.length === 0);
  if (axis === 1 && isRow) return { ...x, ending };
  if (ending !== "softmax") throw new Unsupported("it is no end of a network for classes");
  const axes = isOld ? x.axes.map((_, index) => index).slice(axis) : [axis];
  const { value } = trailing(x, axes, translation.writer);
  return { ...value, node: translation.writer.softmax(value.node) };
};
