import { at, first } from "../../../core/elements.ts";
import { commonShape, elementsOf } from "../../../graph/shape.ts";
import { shapeText } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import { cutsOf } from "../cuts.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { isKnown, knownSizes, productOf, type Size } from "../sizes.ts";
import { broadcast, permuted, stridesOf, type View, walk } from "../strided.ts";
import { decodeTensor } from "../tensors.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, constantDims, dimsOf, numbersOf, type Value } from "../value.ts";
import { repeatedTo } from "./constant-operands.ts";

/** A constant seen another way. */
export function viewed({ made }: Translation, constant: Constant, view: View): Constant {
  const elements = elementsOf(view.sizes);
  made.take(elements);
  const dims = view.sizes;
  const { samples = false } = constant;
  if (constant.kind === "floats") {
    const values = new Float32Array(elements);
    walk(view, (from, to) => {
      values[to] = constant.values[from]!;
    });
    return { kind: "floats", dims, values, samples };
  }
  const values: Size[] = [];
  walk(view, (from) => values.push(constant.values[from]!));
  return { kind: "integers", dims, values, samples };
}

export function transposed(translation: Translation, constant: Constant, order: readonly number[]): Constant {
  if (constant.samples && order[0] !== 0) throw new Unsupported("it moves the batch of a constant");
  return viewed(translation, constant, permuted(constant.dims, order));
}

/** The sizes of what a value would be read as, as exporters write `x.reshape(x.shape[0], -1)`. */
export const shape: Operator = (node, translation) => {
  const [start, end] = [node.attributes.int("start", 0), node.attributes.int("end", Number.MAX_SAFE_INTEGER)];
  const value = translation.value(node, 0);
  const dims: readonly Size[] = value.kind === "activation" ? dimsOf(value) : constantDims(value);
  const values = dims.slice(start, end);
  return { kind: "integers", dims: [values.length], values };
};

export const size: Operator = (node, translation) => {
  const value = translation.value(node, 0);
  const dims = value.kind === "activation" ? dimsOf(value) : constantDims(value);
  return { kind: "integers", dims: [], values: [productOf(dims)] };
};

/** One number, many times. */
export const constantOfShape: Operator = (node, translation) => {
  const tensor = node.attributes.tensor("value");
  const filling: Constant =
    tensor === null ? { kind: "floats", dims: [1], values: Float32Array.of(0) } : decodeTensor(tensor);
  if (filling.values.length !== 1) throw new Damaged(`its value has the shape [${filling.dims}], expected one number`);
  const { sizes, samples } = sizesOf(node, translation, 0);
  return repeated(translation, { ...filling, dims: [] }, sizes, samples);
};

/** A constant repeated along axes of size 1. */
export const expand: Operator = (node, translation) => {
  const value = translation.value(node, 0);
  const { sizes, samples } = sizesOf(node, translation, 1);
  if (value.kind === "activation") return expanded(node, translation, translation.activation(node), { sizes, samples });
  return repeated(translation, value, commonSizes(value.dims, sizes), samples);
};

/** What is computed stays as it is where it is as large already. */
function expanded(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  { sizes, samples }: { readonly sizes: readonly number[]; readonly samples: boolean },
): Value {
  const dims = dimsOf(x);
  const missing = dims.length - sizes.length;
  const fits = sizes.every((size, axis) => size === 1 || (samples && axis === 0) || dims[axis + missing] === size);
  if (missing >= 0 && fits) return x;
  if (missing < 0) throw new Unsupported(`it repeats [${shapeText(x)}] to [${sizes}]`);
  return repeatedTo(node, translation, x, sizes);
}

function repeated(translation: Translation, constant: Constant, sizes: readonly number[], samples: boolean): Constant {
  const view = broadcast(constant.dims, sizes);
  if (view === null) throw new Damaged(`it repeats [${constant.dims}] to [${sizes}]`);
  return { ...viewed(translation, constant, view), samples: samples || (constant.samples ?? false) };
}

/** Sizes that an input has; the batch may be the first, and one sample stands for all then. */
function sizesOf(node: OnnxNode, translation: Translation, index: number) {
  const [head, ...rest] = translation.integers(node, index).values;
  const samples = head !== undefined && !isKnown(head) && head.batches === 1;
  const sizes = knownSizes([...(samples ? [1] : head === undefined ? [] : [head]), ...rest]);
  if (sizes.some((size) => size < 0) || !Number.isSafeInteger(elementsOf(sizes)))
    throw new Damaged(`it makes a tensor of the shape [${sizes}]`);
  return { sizes, samples };
}

/** The shape that two tensors are repeated to, so that their elements meet. */
export function commonSizes(a: readonly number[], b: readonly number[]): readonly number[] {
  const common = commonShape(a, b);
  if (common === null) throw new Damaged(`its inputs are [${a}] and [${b}]`);
  return common;
}

/** Items of a constant along an axis. */
export function gathered(node: OnnxNode, translation: Translation, wanted: number): Constant {
  const constant = translation.constant(node, 0);
  const indices = translation.integers(node, 1);
  const axis = axisOf(wanted, constant.dims.length);
  if (constant.samples && axis === 0) throw new Unsupported("it picks samples of the batch");
  const count = at(constant.dims, axis);
  const picked = translation.numbers(node, 1).map((index) => placeOf(index, count));
  const [before, after] = [constant.dims.slice(0, axis), constant.dims.slice(axis + 1)];
  const { strides } = permuted(constant.dims, [...constant.dims.keys()]);
  const pieces = picked.map((index) =>
    viewed(translation, constant, { sizes: [...before, 1, ...after], strides, start: index * at(strides, axis) }),
  );
  const samples = (constant.samples ?? false) || ((indices.samples ?? false) && axis === 0);
  return { ...joined(translation, pieces, axis, constant), dims: [...before, ...indices.dims, ...after], samples };
}

/** An index counted from the front. */
function placeOf(index: number, count: number): number {
  if (index < -count || index >= count) throw new Damaged(`it takes item ${index} of ${count}`);
  return index < 0 ? index + count : index;
}

/** Of a constant, the element at each index along an axis, all other places being those of the index. */
export const gatherElements: Operator = (node, translation) => {
  const constant = translation.constant(node, 0);
  const indices = translation.integers(node, 1);
  const axis = axisOf(node.attributes.int("axis", 0), constant.dims.length);
  const picked = translation.numbers(node, 1);
  const sizes = indices.dims;
  const isOther = (size: number, other: number) => other !== axis && size > at(constant.dims, other);
  if (sizes.length !== constant.dims.length || sizes.some(isOther)) throw new Damaged(`its indices are [${sizes}]`);
  const strides = stridesOf(constant.dims);
  translation.made.take(picked.length);
  const places: number[] = [];
  walk({ sizes, strides: strides.with(axis, 0), start: 0 }, (from, to) => {
    places.push(from + placeOf(at(picked, to), at(constant.dims, axis)) * at(strides, axis));
  });
  const samples = indices.samples ?? false;
  if (constant.kind === "floats")
    return {
      kind: "floats",
      dims: sizes,
      values: Float32Array.from(places, (place) => at(constant.values, place)),
      samples,
    };
  return { kind: "integers", dims: sizes, values: places.map((place) => at(constant.values, place)), samples };
};

/** Integers from a start up to a limit; of every sample of the batch, its own. */
export const range: Operator = (node, translation) => {
  const [start, limit, step] = [0, 1, 2].map((index) => translation.constant(node, index));
  const end = limit?.values[0];
  if (end !== undefined && !isKnown(end) && end.batches === 1 && start?.values[0] === 0 && step?.values[0] === 1)
    return { kind: "integers", dims: [1], values: [0], samples: true };
  const [from = 0, to = 0, by = 1] = [0, 1, 2].map((index) => first(numbersOf(translation.constant(node, index))));
  const count = Math.max(0, Math.ceil((to - from) / by));
  if (!Number.isSafeInteger(count)) throw new Damaged(`it counts from ${from} to ${to} by ${by}`);
  translation.made.take(count);
  const values = Array.from({ length: count }, (_, index) => from + index * by);
  return start?.kind === "integers"
    ? { kind: "integers", dims: [count], values }
    : { kind: "floats", dims: [count], values: Float32Array.from(values) };
};

/** A part of a constant. */
export function slicedConstant(node: OnnxNode, translation: Translation): Constant {
  const constant = translation.constant(node, 0);
  const sizes = [...constant.dims];
  const strides = stridesOf(constant.dims);
  let start = 0;
  const dims = constant.dims.map((size, axis) => (constant.samples && axis === 0 ? null : size));
  for (const { axis, from, size, step } of cutsOf(node, translation, dims)) {
    sizes[axis] = size;
    start += from * at(strides, axis);
    strides[axis] = at(strides, axis) * step;
  }
  return viewed(translation, constant, { sizes, strides, start });
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
  const values: Size[] = [];
  for (let block = 0; block < blocks; block++) {
    for (const part of parts) {
      const size = part.values.length / blocks;
      for (let index = block * size; index < (block + 1) * size; index++) values.push(part.values[index]!);
    }
  }
  const samples = parts.some(({ samples }) => samples);
  if (samples && axis === 0) throw new Unsupported("it joins along the batch");
  return like.kind === "integers"
    ? { kind: "integers", dims, values, samples }
    : { kind: "floats", dims, values: Float32Array.from(knownSizes(values)), samples };
}
