import { commonShape, elementsOf } from "../../../graph/shape.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { broadcast, permuted, stridesOf, type View, walk } from "../strided.ts";
import { decodeTensor } from "../tensors.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Constant, dimsOf, type Integers } from "../value.ts";

/** A constant seen another way. */
export function viewed({ made }: Translation, constant: Constant, view: View): Constant {
  const elements = elementsOf(view.sizes);
  made.take(elements);
  const dims = view.sizes;
  if (constant.kind === "floats") {
    const values = new Float32Array(elements);
    walk(view, (from, to) => {
      values[to] = constant.values[from]!;
    });
    return { kind: "floats", dims, values };
  }
  const values: Integers["values"][number][] = [];
  walk(view, (from) => values.push(constant.values[from]!));
  return { kind: "integers", dims, values };
}

export const transposed = (translation: Translation, constant: Constant, order: readonly number[]): Constant =>
  viewed(translation, constant, permuted(constant.dims, order));

/** The sizes of what a value would be read as, as exporters write `x.reshape(x.shape[0], -1)`. */
export const shape: Operator = (node, translation) => {
  const [start, end] = [node.attributes.int("start", 0), node.attributes.int("end", Number.MAX_SAFE_INTEGER)];
  const value = translation.value(node, 0);
  const dims = value.kind === "activation" ? (["batch", ...dimsOf(value)] as const) : value.dims;
  const values = dims.slice(start, end);
  return { kind: "integers", dims: [values.length], values };
};

export const size: Operator = (node, translation) => {
  const value = translation.value(node, 0);
  if (value.kind === "activation") throw new Unsupported("it counts the images of a batch");
  return { kind: "integers", dims: [], values: [value.dims.reduce((a, b) => a * b, 1)] };
};

/** One number, many times. */
export const constantOfShape: Operator = (node, translation) => {
  const tensor = node.attributes.tensor("value");
  const filling: Constant =
    tensor === null ? { kind: "floats", dims: [1], values: Float32Array.of(0) } : decodeTensor(tensor);
  if (filling.values.length !== 1) throw new Damaged(`its value has the shape [${filling.dims}], expected one number`);
  return repeated(translation, { ...filling, dims: [] }, sizesOf(node, translation, 0));
};

/** A constant repeated along axes of size 1. */
export const expand: Operator = (node, translation) => {
  const sizes = sizesOf(node, translation, 1);
  const constant = translation.constant(node, 0);
  return repeated(translation, constant, commonSizes(constant.dims, sizes));
};

function repeated(translation: Translation, constant: Constant, sizes: readonly number[]): Constant {
  return viewed(translation, constant, broadcast(constant.dims, sizes)!);
}

function sizesOf(node: OnnxNode, translation: Translation, index: number): readonly number[] {
  const sizes = translation.numbers(node, index);
  if (sizes.some((size) => size < 0) || !Number.isSafeInteger(elementsOf(sizes)))
    throw new Damaged(`it makes a tensor of the shape [${sizes}]`);
  return sizes;
}

/** The shape that two tensors are repeated to, so that their elements meet. */
export function commonSizes(a: readonly number[], b: readonly number[]): readonly number[] {
  const common = commonShape(a, b);
  if (common === null) throw new Damaged(`its inputs are [${a}] and [${b}]`);
  return common;
}

export const gather: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", 0);
  const constant = translation.constant(node, 0);
  const indices = translation.integers(node, 1);
  const axis = axisOf(wanted, constant.dims.length);
  const count = constant.dims[axis]!;
  const picked = translation.numbers(node, 1).map((index) => {
    if (index < -count || index >= count) throw new Damaged(`it takes item ${index} of ${count}`);
    return index < 0 ? index + count : index;
  });
  const [before, after] = [constant.dims.slice(0, axis), constant.dims.slice(axis + 1)];
  const pieces = picked.map((index) => {
    const view = permuted(constant.dims, [...constant.dims.keys()]);
    return viewed(translation, constant, {
      sizes: [...before, 1, ...after],
      strides: view.strides,
      start: index * view.strides[axis]!,
    });
  });
  return { ...joined(translation, pieces, axis, constant), dims: [...before, ...indices.dims, ...after] };
};

export const slice: Operator = (node, translation) => {
  const constant = translation.constant(node, 0);
  const rank = constant.dims.length;
  const [starts, ends] = [translation.numbers(node, 1), translation.numbers(node, 2)];
  const axes = translation.has(node, 3) ? translation.numbers(node, 3) : [...starts.keys()];
  const steps = translation.has(node, 4) ? translation.numbers(node, 4) : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw new Damaged("its starts, ends, axes and steps are not equally many");
  const sizes = [...constant.dims];
  const strides = stridesOf(constant.dims);
  let start = 0;
  axes.forEach((wanted, index) => {
    const axis = axisOf(wanted, rank);
    const step = steps[index]!;
    if (step === 0) throw new Damaged("it cuts in steps of 0");
    const size = constant.dims[axis]!;
    const [from, to] = [bound(starts[index]!, size, step), bound(ends[index]!, size, step)];
    sizes[axis] = Math.max(0, Math.ceil((to - from) / step));
    start += from * strides[axis]!;
    strides[axis]! *= step;
  });
  return viewed(translation, constant, { sizes, strides, start });
};

/** Where a cut begins or ends: counted from the end when negative, and never outside. */
function bound(position: number, size: number, step: number): number {
  const counted = position < 0 ? position + size : position;
  return step > 0 ? Math.min(Math.max(counted, 0), size) : Math.min(Math.max(counted, -1), size - 1);
}

export const joinedConstants: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", 0);
  const parts = node.inputs.map((_, index) => translation.constant(node, index));
  const [first] = parts;
  if (first === undefined) throw new Damaged("it joins nothing");
  return joined(translation, parts, axisOf(wanted, first.dims.length), first);
};

/** Tensors one behind the other along an axis; of no tensors, none of the kind of `like`. */
function joined({ made }: Translation, parts: readonly Constant[], axis: number, like: Constant): Constant {
  const rest = (dims: readonly number[]) => `${dims.toSpliced(axis, 1)}`;
  const other = parts.find(({ kind, dims }) => kind !== like.kind || rest(dims) !== rest(like.dims));
  if (other) throw new Damaged(`it joins [${like.dims}] and [${other.dims}] along axis ${axis}`);
  const length = parts.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  const dims = like.dims.with(axis, length);
  made.take(elementsOf(dims));
  const blocks = elementsOf(dims.slice(0, axis));
  const values: (number | "batch")[] = [];
  for (let block = 0; block < blocks; block++) {
    for (const part of parts) {
      const size = part.values.length / blocks;
      for (let index = block * size; index < (block + 1) * size; index++) values.push(part.values[index]!);
    }
  }
  return like.kind === "integers"
    ? { kind: "integers", dims, values }
    : { kind: "floats", dims, values: Float32Array.from(values, Number) };
}

function axisOf(axis: number, rank: number): number {
  if (!(axis >= -rank && axis < rank)) throw new Damaged(`its axis is ${axis} of ${rank}`);
  return axis < 0 ? axis + rank : axis;
}
