import { at } from "../../../core/elements.ts";
import { shapeText } from "../arrangement.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { regrouped } from "../regroup.ts";
import { isKnown, sizesText } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, dimsOf, numbersOf } from "../value.ts";
import { concatenation } from "./concat-operators.ts";

/** Every place so many times, which is the nearest one of a larger image: it stands beside itself as often. */
export const resize: Operator = (node, translation) => {
  const mode = node.attributes.string("mode", "nearest");
  const coordinates = node.attributes.string("coordinate_transformation_mode", "half_pixel");
  if (mode !== "nearest" || coordinates === "align_corners" || coordinates === "tf_crop_and_resize")
    throw new Unsupported(`it interpolates (mode "${mode}", ${coordinates}), expected the nearest places`);
  const x = translation.activation(node);
  return factorsOf(node, translation, x).reduce<Activation>((value, factor, axis) => {
    if (factor === 1) return value;
    if (!Number.isInteger(factor) || factor < 1)
      throw new Unsupported(`it makes ${factor} times as many of axis ${axis}`);
    return repeated(node, translation, value, axis, factor);
  }, x);
};

/** How many times larger each axis becomes. */
function factorsOf(node: OnnxNode, translation: Translation, x: Activation): readonly number[] {
  const isUpsample = node.operator === "Upsample";
  const [scales, sizes] = isUpsample ? [1, 3] : [2, 3];
  if (translation.has(node, scales) && translation.floats(node, scales).values.length > 0) {
    return Array.from(numbersOf(translation.floats(node, scales)));
  }
  const wanted = translation.integers(node, sizes).values;
  if (wanted.length !== x.axes.length) throw new Damaged(`it makes [${sizesText(wanted)}] of [${shapeText(x)}]`);
  return wanted.map((size, axis) => {
    const own = axisSize(x, axis);
    if (isKnown(own) && isKnown(size)) return size / own;
    return 1;
  });
}

function repeated(node: OnnxNode, translation: Translation, x: Activation, axis: number, factor: number): Activation {
  const [own, ...more] = at(x.axes, axis);
  if (more.length > 0 || own === 0) throw new Unsupported(`it enlarges axis ${axis} of [${shapeText(x)}]`);
  const part = { ...x, axes: x.axes.toSpliced(axis + 1, 0, []) };
  const parts = new Array<Activation>(factor).fill(part);
  const beside = concatenation(parts, axis + 1, nodeName(node), translation.writer, own ?? x.factors.length);
  const dims = dimsOf(x);
  const size = axisSize(x, axis);
  const grouping = regrouped(beside, dims.with(axis, isKnown(size) ? size * factor : size), translation.batch);
  if (grouping === null) throw new Unsupported(`it enlarges axis ${axis} of [${shapeText(x)}]`);
  return { ...beside, ...grouping };
}
