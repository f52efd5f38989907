import { at } from "../../../core/elements.ts";
import { tuple } from "../../../core/tuple.ts";
import { isPadded } from "../../../engine/op-options.ts";
import type { Padding } from "../../../graph/graph.ts";
import { channelsFirst, channelsLast, imageOf, imageValue, liesAs, shaped } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { knownSizes } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, checkedShape } from "../value.ts";
import { scalar } from "./clamp-operators.ts";
import { picked } from "./slice-operators.ts";

/** What lies around a tensor: zeros, or its own items once more. */
export const pad: Operator = (node, translation) => {
  const mode = node.attributes.string("mode", "constant");
  const pads = node.attributes.ints("pads") ?? translation.numbers(node, 1);
  const named = translation.has(node, 3) ? translation.numbers(node, 3) : null;
  const x = translation.activation(node);
  const rank = x.axes.length;
  const padded = (named ?? x.axes.map((_, axis) => axis)).map((axis) => axisOf(axis, rank));
  if (pads.length !== 2 * padded.length) throw new Damaged(`it has ${pads.length} pads for ${padded.length} axes`);
  if (pads.some((size) => size < 0)) throw new Unsupported(`its pads are ${pads.join(", ")}: it crops`);
  const around = x.axes.map((): [before: number, after: number] => [0, 0]);
  for (const [index, axis] of padded.entries()) around[axis] = [at(pads, index), at(pads, padded.length + index)];
  if (at(around, 0).some((size) => size > 0))
    throw new Unsupported(`its pads are ${pads.join(", ")}: it pads the batch`);
  if (mode === "constant") return zerosAround(node, translation, x, around);
  const places = repeated[mode];
  if (places === undefined) throw new Unsupported(`its mode is "${mode}"`);
  return around.reduce((value, sizes, axis) => {
    if (sizes.every((size) => size === 0)) return value;
    const [size] = tuple(knownSizes([axisSize(value, axis)]), 1);
    return picked(node, translation, value, axis, places(size, sizes));
  }, x);
};

type Around = readonly [before: number, after: number];

const range = (from: number, count: number, step = 1): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + step * index);

/** The places of an axis that lie there once it is padded. */
const repeated: Readonly<Record<string, (size: number, around: Around) => readonly number[]>> = {
  edge: (size, [before, after]) => [...range(0, before, 0), ...range(0, size), ...range(size - 1, after, 0)],
  reflect(size, [before, after]) {
    if (Math.max(before, after) >= size) throw new Damaged(`it mirrors ${Math.max(before, after)} of ${size} places`);
    return [...range(before, before, -1), ...range(0, size), ...range(size - 2, after, -1)];
  },
  wrap(size, [before, after]) {
    if (Math.max(before, after) > size) throw new Damaged(`it repeats ${Math.max(before, after)} of ${size} places`);
    return [...range(size - before, before), ...range(0, size), ...range(0, after)];
  },
};

/** Zeros around an image; rows and columns may become a part of the convolution behind it. */
function zerosAround(node: OnnxNode, translation: Translation, x: Activation, around: readonly Around[]): Activation {
  const filling = translation.has(node, 2) ? scalar(translation.floats(node, 2)) : node.attributes.float("value", 0);
  if (filling !== 0) throw new Unsupported(`it pads with ${filling}, expected 0`);
  const rank = x.axes.length;
  const axes = rank === 4 && !liesAs(x, channelsFirst) && liesAs(x, channelsLast) ? channelsLast : channelsFirst;
  const { value, height, width, channels } = imageOf(x, translation.writer, axes);
  const [rows, columns, depth] = [at(around, axes[0]), at(around, axes[1]), at(around, axes[2])];
  const padding: Padding = { top: rows[0], bottom: rows[1], left: columns[0], right: columns[1] };
  const grown = (size: number, [before, after]: readonly [number, number]) => size + before + after;
  const shape = checkedShape([grown(height, rows), grown(width, columns), grown(channels, depth)]);
  const deepens = depth[0] + depth[1] > 0;
  if (!deepens && !isPadded({ padding })) return x;
  // What is pooled globally is an image of one pixel.
  const image = shaped(value, [height, width, channels], translation.writer);
  if (!deepens) return { ...imageValue(image, image.node, shape, axes), shape: image.shape, padding };
  const id = translation.writer.name(nodeName(node));
  const pushed = translation.writer.push({ kind: "pad", id, inputs: [image.node], padding, channels: depth });
  return imageValue(value, pushed, shape, axes);
}
