import { at } from "../../../core/elements.ts";
import { inOrder, shapeText } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { inFileOrder, regrouped } from "../regroup.ts";
import { isKnown, knownSizes, oneBatch, productOf, resolved, type Size, sizesText } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, type Constant, constantDims, dimsOf } from "../value.ts";
import { transposed } from "./views-operators.ts";

/** Another order of the file's axes; the graph's stays. */
export const transpose: Operator = (node, translation) => {
  const order = node.attributes.ints("perm");
  const value = translation.value(node, 0);
  const rank = value.kind === "activation" ? value.axes.length : value.dims.length;
  const permutation = order ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (permutation.toSorted((a, b) => a - b).some((axis, index) => axis !== index) || permutation.length !== rank) {
    throw new Damaged(`its perm is ${permutation.join(", ")} for ${rank} dimensions`);
  }
  if (value.kind !== "activation") return transposed(translation, value, permutation);
  const x = translation.activation(node);
  return { ...x, axes: permutation.map((axis) => at(x.axes, axis)) };
};

/** All axes before one as one axis, and all others. */
export const flatten: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", 1);
  const x = translation.activation(node);
  const axis = wanted === x.axes.length ? wanted : axisOf(wanted, x.axes.length);
  const dims = dimsOf(x);
  return reshaped(translation, x, [productOf(dims.slice(0, axis)), productOf(dims.slice(axis))]);
};

/** The same numbers in another shape. */
export const reshape: Operator = (node, translation) => {
  const copies = node.attributes.int("allowzero", 0) === 0;
  const target = translation.integers(node, 1).values;
  const value = translation.value(node, 0);
  if (value.kind !== "activation") {
    return withDims(value, resolved(target, constantDims(value), copies, null));
  }
  const x = translation.activation(node);
  return reshaped(translation, x, perSample(x, resolved(target, dimsOf(x), copies, translation.batch)));
};

/**
 * An exporter that saw one sample writes 1 in the batch's place, as in [1, C, -1] of [batch, C, height, width]: what it makes
 * of that one is made of each. Nothing else says so: a 1 before other sizes may be an axis.
 */
function perSample(x: Activation, dims: readonly Size[]): readonly Size[] {
  const [head, kept, ...rest] = dims;
  const isBatchFirst = `${x.axes[0]}` === "0";
  if (!isBatchFirst || head !== 1 || kept === undefined || !isKnown(kept) || kept !== dimsOf(x)[1]) return dims;
  if (rest.filter((size) => !isKnown(size)).length !== 1) return dims;
  return [oneBatch, kept, ...rest.map((size) => (isKnown(size) ? size : size.batches))];
}

function reshaped({ batch, writer }: Translation, x: Activation, dims: readonly Size[]): Activation {
  const grouping = regrouped(x, dims, batch);
  if (grouping !== null) return { ...x, ...grouping };
  const ordered = inOrder(x, writer);
  const row = inFileOrder([oneBatch, ordered.factors.reduce((product, size) => product * size, 1)]);
  const again = regrouped(row, dims, batch);
  if (again === null) throw new Unsupported(`it makes [${sizesText(dims)}] of [${shapeText(x)}]`);
  return { ...ordered, ...again };
}

export const squeeze: Operator = (node, translation) => {
  const axes = translation.axes(node, 1);
  const value = translation.value(node, 0);
  if (value.kind !== "activation") {
    const kept = without(value.dims, axes, value.samples ?? false);
    return { ...value, dims: kept };
  }
  const x = translation.activation(node);
  // The batch, which may be of size 1, is never what is meant.
  if (axes === null) throw new Unsupported("it names no axes");
  const sizes = dimsOf(x);
  const dropped = new Set(axes.map((axis) => axisOf(axis, sizes.length)));
  const isOne = (size: Size | undefined) =>
    size === 1 || (translation.batch === 1 && size !== undefined && isBatch(size));
  if ([...dropped].some((axis) => !isOne(sizes[axis])))
    throw new Damaged(`it squeezes axes ${axes} of [${shapeText(x)}]`);
  return reshaped(
    translation,
    x,
    sizes.filter((_, axis) => !dropped.has(axis)),
  );
};

const isBatch = (size: Size): boolean => typeof size !== "number" && size.batches === 1;

export const unsqueeze: Operator = (node, translation) => {
  const axes = translation.axes(node, 1);
  const value = translation.value(node, 0);
  if (axes === null) throw new Damaged("it names no axes");
  if (value.kind !== "activation") return withDims(value, withOnes(constantDims(value), axes, 1));
  const x = translation.activation(node);
  return { ...x, axes: withOnes<readonly number[]>(x.axes, axes, []) };
};

/** A constant in another shape, whose first axis stays the batch's where it was. */
function withDims(value: Constant, dims: readonly Size[]): Constant {
  const { samples = false } = value;
  const [head, ...rest] = dims;
  if (!samples) return { ...value, dims: knownSizes(dims) };
  if (head === undefined || !isBatch(head)) throw new Unsupported("it puts an axis before the batch of a constant");
  return { ...value, dims: [1, ...knownSizes(rest)] };
}

function without(dims: readonly number[], axes: readonly number[] | null, samples: boolean): number[] {
  const dropped = axes?.map((axis) => (axis < 0 ? axis + dims.length : axis));
  const isDropped = (index: number) =>
    dropped === undefined ? dims[index] === 1 && !(samples && index === 0) : dropped.includes(index);
  if (samples && isDropped(0)) throw new Unsupported("it takes the batch from a constant");
  if (dropped?.some((axis) => dims[axis] !== 1)) throw new Damaged(`it squeezes axes ${axes} of [${dims}]`);
  return dims.filter((_, index) => !isDropped(index));
}

/** Axes of size 1 put in. */
function withOnes<T>(dims: readonly T[], axes: readonly number[], one: T): T[] {
  const rank = dims.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (rank > 8 || added.size !== axes.length || [...added].some((axis) => axis < 0 || axis >= rank)) {
    throw new Damaged(`it adds axes ${axes} to ${dims.length} dimensions`);
  }
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? one : at(rest.splice(0, 1), 0)));
}
