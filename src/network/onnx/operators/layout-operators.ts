import type { Padding } from "../../../graph/graph.ts";
import { elementsOf } from "../../../graph/shape.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Axis, checkedSize, dimsOf, elementsIn, flattenedOrder, type Value } from "../value.ts";
import { isPadded } from "../window-attributes.ts";
import { transposed } from "./views-operators.ts";

/** Another order of the file's axes; the graph's stays. */
export const transpose: Operator = (node, translation) => {
  const order = node.attributes.ints("perm");
  const value = translation.value(node, 0);
  const rank = value.kind === "activation" ? value.axes.length + 1 : value.dims.length;
  const permutation = order ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (permutation.toSorted((a, b) => a - b).some((axis, index) => axis !== index) || permutation.length !== rank) {
    throw new Damaged(`its perm is ${permutation.join(", ")} for ${rank} dimensions`);
  }
  if (value.kind === "activation") {
    const x = translation.activation(node);
    if (permutation[0] !== 0) throw new Unsupported(`its perm is ${permutation.join(", ")}: it moves the batch`);
    return { ...x, axes: permutation.slice(1).map((axis) => x.axes[axis - 1]!) };
  }
  return transposed(translation, value, permutation);
};

export const flatten: Operator = (node, translation) => {
  const axis = node.attributes.int("axis", 1);
  const x = translation.activation(node);
  if (axis !== 1 && axis !== -x.axes.length) throw new Unsupported(`its axis is ${axis}, expected 1`);
  return flattened(node, translation, x);
};

/** A new shape that flattens, or that only puts axes of size 1 elsewhere. */
export const reshape: Operator = (node, translation) => {
  const copies = node.attributes.int("allowzero", 0) === 0;
  const target = translation.integers(node, 1);
  const value = translation.value(node, 0);
  if (value.kind !== "activation") {
    return { ...value, dims: resolve(translation.numbers(node, 1), value.dims, value.values.length, copies) };
  }
  const x = translation.activation(node);
  const [batch, ...rest] = target.values;
  const dims = dimsOf(x);
  const known = translation.graph.input.shape[0];
  const keepsBatch =
    batch === "batch" || batch === -1 || (batch === 0 && copies) || (batch !== undefined && batch === known);
  if (!keepsBatch || rest.includes("batch") || (batch === -1 && rest.includes(-1))) {
    throw new Unsupported(`its shape is [${target.values}], expected [batch, …]`);
  }
  // Only the batch has a name, and it is none of these.
  return reshaped(node, translation, x, resolve(rest as number[], dims, elementsIn(x.size), copies));
};

export const squeeze: Operator = (node, translation) => {
  const axes = translation.axes(node, 1);
  const value = translation.value(node, 0);
  if (value.kind !== "activation") return { ...value, dims: without(value.dims, axes) };
  const x = translation.activation(node);
  // The batch, which may be of size 1, is never what is meant.
  if (axes === null) throw new Unsupported("it names no axes");
  return reshaped(node, translation, x, without([0, ...dimsOf(x)], axes).slice(1));
};

export const unsqueeze: Operator = (node, translation) => {
  const axes = translation.axes(node, 1);
  const value = translation.value(node, 0);
  if (axes === null) throw new Damaged("it names no axes");
  if (value.kind !== "activation") return { ...value, dims: withOnes(value.dims, axes) };
  const x = translation.activation(node);
  const [batch, ...dims] = withOnes([0, ...dimsOf(x)], axes);
  if (batch !== 0) throw new Unsupported("it puts an axis before the batch");
  return reshaped(node, translation, x, dims);
};

/** Zeros around an image; rows and columns may become a part of the convolution behind it. */
export const pad: Operator = (node, translation) => {
  const mode = node.attributes.string("mode", "constant");
  if (mode !== "constant") throw new Unsupported(`its mode is "${mode}", expected "constant"`);
  const pads = translation.numbers(node, 1);
  const filling = translation.has(node, 2) ? translation.floats(node, 2).values : [0];
  const named = translation.has(node, 3) ? translation.numbers(node, 3) : null;
  if (filling[0] !== 0) throw new Unsupported(`it pads with ${filling[0]}, expected 0`);
  const image = translation.activation(node);
  if (image.vector) throw new Unsupported("it pads what is no image");
  const rank = image.axes.length + 1;
  const axes = (named ?? Array.from({ length: rank }, (_, axis) => axis)).map((axis) =>
    axis < 0 ? axis + rank : axis,
  );
  if (pads.length !== 2 * axes.length) throw new Damaged(`it has ${pads.length} pads for ${axes.length} axes`);
  const around: Record<Axis, readonly [number, number]> = { height: [0, 0], width: [0, 0], channels: [0, 0] };
  axes.forEach((axis, index) => {
    const sizes = [pads[index]!, pads[index + axes.length]!] as const;
    const name = image.axes[axis - 1];
    if (sizes.some((size) => size < 0)) throw new Unsupported(`its pads are ${pads.join(", ")}: it crops`);
    if (name !== undefined) around[name] = sizes;
    else if (sizes.some((size) => size > 0))
      throw new Unsupported(`its pads are ${pads.join(", ")}: it pads the batch`);
  });
  const { height, width, channels } = around;
  const padding: Padding = { top: height[0], bottom: height[1], left: width[0], right: width[1] };
  const grown = (axis: Axis) => image.size[axis] + around[axis][0] + around[axis][1];
  const size = checkedSize({ height: grown("height"), width: grown("width"), channels: grown("channels") });
  if (channels[0] + channels[1] === 0) return { ...image, size, padding: isPadded(padding) ? padding : null };
  const id = translation.writer.name(nodeName(node));
  return {
    ...image,
    node: translation.writer.push({ kind: "pad", id, inputs: [image.node], padding, channels }),
    size,
  };
};

/** Sizes with -1 worked out, and 0 copied from the axis that stands there. */
function resolve(sizes: readonly number[], from: readonly number[], elements: number, copies: boolean): number[] {
  const copied = sizes.map((size, index) => (size === 0 && copies ? (from[index] ?? 0) : size));
  const rest = elementsOf(copied.filter((size) => size !== -1));
  const open = copied.filter((size) => size === -1).length;
  const resolved = copied.map((size) => (size === -1 ? elements / rest : size));
  const fits = resolved.every((size) => Number.isInteger(size) && size > 0) && open <= 1;
  if (!fits || elementsOf(resolved) !== elements) {
    throw new Damaged(`its shape is [${sizes}], it reads [${from}]`);
  }
  return resolved;
}

function reshaped(node: OnnxNode, translation: Translation, x: Activation, dims: readonly number[]): Value {
  const long = (size: number) => size !== 1;
  const before = x.axes.filter((axis) => long(x.size[axis]));
  if (`${dims.filter(long)}` === `${before.map((axis) => x.size[axis])}`) {
    // In the order that is left: an axis of size 1 may go by any name.
    const ones = (["channels", "height", "width"] as const).filter((axis) => !long(x.size[axis]));
    const axes = dims.map((size) => (long(size) ? before.shift() : ones.shift()));
    if (axes.every((axis) => axis !== undefined) && (x.order === null || dims.length === 1)) {
      const isFlat = axes.length === 1;
      return isFlat ? flattened(node, translation, x) : { ...x, axes };
    }
  }
  if (dims.length === 1) return flattened(node, translation, x);
  throw new Unsupported(`it makes [batch, ${dims}] of [batch, ${dimsOf(x)}], expected [batch, -1]`);
}

function flattened(node: OnnxNode, { writer }: Translation, x: Activation): Activation {
  const flat = { ...x, axes: ["channels"] as const };
  if (x.vector) return flat;
  const size = { height: 1, width: 1, channels: elementsIn(x.size) };
  writer.made.take(size.channels);
  const id = writer.name(nodeName(node));
  return {
    ...flat,
    node: writer.push({ kind: "flatten", id, inputs: [x.node] }),
    size,
    vector: true,
    order: flattenedOrder(x),
  };
}

function without(dims: readonly number[], axes: readonly number[] | null): number[] {
  const dropped = axes?.map((axis) => (axis < 0 ? axis + dims.length : axis));
  const isDropped = (index: number) => (dropped === undefined ? dims[index] === 1 : dropped.includes(index));
  if (dropped?.some((axis) => dims[axis] !== 1)) throw new Damaged(`it squeezes axes ${axes} of [${dims}]`);
  return dims.filter((_, index) => !isDropped(index));
}

function withOnes(dims: readonly number[], axes: readonly number[]): number[] {
  const rank = dims.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (rank > 8 || added.size !== axes.length || [...added].some((axis) => axis < 0 || axis >= rank)) {
    throw new Damaged(`it adds axes ${axes} to [${dims}]`);
  }
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!));
}
