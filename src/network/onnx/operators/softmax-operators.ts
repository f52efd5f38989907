import { trailing } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import { HIDDEN } from "../masks.ts";
import { Unsupported } from "../problems.ts";
import type { Operator } from "../translation.ts";
import { numbersOf } from "../value.ts";
import { plusNumber } from "./constant-operands.ts";
import { bothOf, rectifiedOf } from "./element-nodes.ts";
import { reducedOver } from "./reduction-operators.ts";

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
  const isRow = x.axes.every((factors, index) => index <= 1 || factors.length === 0);
  const isOfPixels = x.axes.length === 4 && !isOld;
  if (axis === 1 && `${x.axes[0]}` === "0" && (isRow || isOfPixels)) return { ...x, ending };
  if (ending !== "softmax") throw new Unsupported("it is no end of a network for classes");
  const axes = isOld ? x.axes.map((_, index) => index).slice(axis) : [axis];
  const { value } = trailing(x, axes, translation.writer);
  return { ...value, node: translation.writer.softmax(value.node) };
};

/**
 * Shares of scores, but 0 where a mask of -∞ hides all of them: times whether the largest score is none of those that are
 * hidden.
 */
export const guardedSoftmax: Operator = (node, translation) => {
  const shares = translation.activation(node);
  const scores = translation.activation(node, 1);
  if (!translation.mayBeHidden(scores)) return shares;
  const filling = numbersOf(translation.constant(node, 2));
  if (filling.length !== 1 || filling[0] !== 0)
    throw new Unsupported("it puts other numbers than 0 where a mask hides all that a softmax takes");
  const isOld = translation.opset < 13;
  const axis = axisOf(node.attributes.int("axis", isOld ? 1 : -1), scores.axes.length);
  if (isOld && axis !== scores.axes.length - 1) throw new Unsupported("its softmax is over several axes");
  const largest = reducedOver(node, translation, scores, { axes: [axis], reduction: "largest" });
  const isSeen = rectifiedOf(node, translation, plusNumber(node, translation, largest, HIDDEN / 2), 1);
  return bothOf(node, translation, [shares, isSeen], "multiply");
};
