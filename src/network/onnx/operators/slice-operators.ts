import { at, first } from "../../../core/elements.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { inOrder, shaped, shapeText } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import { type Cut, cutsOf } from "../cuts.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { regrouped, withFactor } from "../regroup.ts";
import { isKnown, oneBatch } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, dimsOf, type Value } from "../value.ts";
import { concatenation } from "./concat-operators.ts";
import { gathered, slicedConstant } from "./views-operators.ts";

/** A part of what is computed, or of a constant. */
export const slice: Operator = (node, translation) => {
  if (translation.isConstant(node, 0)) return slicedConstant(node, translation);
  const x = translation.activation(node);
  const dims = dimsOf(x).map((size) => (isKnown(size) ? size : null));
  return cutsOf(node, translation, dims).reduce((value, cut) => part(node, translation, value, cut), x);
};

/** Parts of an axis, one behind the other. */
export const split: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", 0);
  const x = translation.activation(node);
  const axis = axisOf(wanted, x.axes.length);
  const size = axisSize(x, axis);
  if (!isKnown(size)) throw new Unsupported(`it splits the batch of [${shapeText(x)}]`);
  const given = node.attributes.ints("split") ?? (translation.has(node, 1) ? translation.numbers(node, 1) : null);
  const even = Math.ceil(size / node.outputs.length);
  const sizes = given ?? node.outputs.map((_, index) => Math.min(even, size - index * even));
  if (sizes.length !== node.outputs.length || sizes.some((one) => one < 1) || sizes.reduce((a, b) => a + b, 0) !== size)
    throw new Damaged(`it splits ${size} into ${sizes.join(" + ")}`);
  let from = 0;
  return sizes.map((size) => {
    const piece = part(node, translation, x, { axis, from, size, step: 1 });
    from += size;
    return piece;
  });
};

/** Items along an axis, or rows of a table by integers that go into the network. */
export const gather: Operator = (node, translation) => {
  const wanted = node.attributes.int("axis", 0);
  if (translation.isConstant(node, 0)) {
    return translation.isConstant(node, 1) ? gathered(node, translation, wanted) : embedding(node, translation, wanted);
  }
  const x = translation.activation(node);
  const indices = translation.integers(node, 1);
  const axis = axisOf(wanted, x.axes.length);
  if (indices.samples) return ofOwnSample(node, translation, x, axis);
  const size = axisSize(x, axis);
  if (!isKnown(size)) throw new Unsupported("it picks samples of the batch");
  const places = translation.numbers(node, 1).map((index) => (index < 0 ? index + size : index));
  if (places.length === 0 || places.some((place) => place < 0 || place >= size))
    throw new Damaged(`it picks the items ${places.slice(0, 8).join(", ")} of ${size}`);
  const piece = picked(node, translation, x, axis, places);
  if (indices.dims.length === 1) return piece;
  if (indices.dims.length > 1) throw new Unsupported(`its indices are [${indices.dims}], expected a number or a list`);
  return { ...piece, axes: piece.axes.toSpliced(axis, 1) };
};

/**
 * Every sample's own numbers, counted through the batch, as PyTorch's exporters write masks and strided views:
 * [batch·n, ..] by indices [batch, ..] that name all n in order.
 */
function ofOwnSample(node: OnnxNode, translation: Translation, x: Activation, axis: number): Activation {
  const { dims } = translation.integers(node, 1);
  const [batch, ...own] = at(x.axes, axis);
  const count = elementsOf(own.map((factor) => at(x.factors, factor - 1)));
  const places = translation.numbers(node, 1);
  const isAll = places.length === count && places.every((place, index) => place === index);
  const shape = [oneBatch, ...dims.slice(1), ...dimsOf(x).slice(1)];
  const grouping = axis === 0 && batch === 0 && isAll ? regrouped(x, shape, translation.batch) : null;
  if (grouping === null) throw new Unsupported("it picks samples of the batch");
  return { ...x, ...grouping };
}

/** Of every sample its own items, one for each place of a last axis: [batch, n] by indices [batch, .., n, 2]. */
export const gatherNd: Operator = (node, translation) => {
  if (node.attributes.int("batch_dims", 0) !== 0) throw new Unsupported("it has batch_dims");
  const x = translation.activation(node);
  const { dims, samples = false } = translation.integers(node, 1);
  const numbers = translation.numbers(node, 1);
  const count = at(dims, -2);
  const isOwn = numbers.every((number, index) => number === (index % 2 === 0 ? 0 : (index - 1) / 2));
  const isRow = x.axes.length === 2 && `${x.axes[0]}` === "0" && axisSize(x, 1) === count;
  if (!samples || dims.at(-1) !== 2 || elementsOf(dims) !== 2 * count || !isOwn || !isRow)
    throw new Unsupported("it picks items by computed indices, expected those of a mask");
  return { ...x, axes: [[0], ...dims.slice(1, -2).map(() => []), at(x.axes, 1)] };
};

function embedding(node: OnnxNode, translation: Translation, axis: number): Value {
  const table = translation.floats(node, 0);
  const tokens = translation.activation(node, 1);
  if (!tokens.integers) throw new Damaged("it picks rows by float32 numbers, expected integers");
  if (table.dims.length !== 2 || axis !== 0)
    throw new Unsupported(`it picks along axis ${axis} of [${table.dims}], expected rows of a table`);
  const { writer } = translation;
  writer.readTokens(tokens.node);
  const units = at(table.dims, 1);
  const id = writer.embedding(writer.name(nodeName(node)), tokens.node, Float32Array.from(table.values), table.dims);
  const axes = [...tokens.axes, units === 1 ? [] : [tokens.factors.length + 1]];
  const factors = units === 1 ? tokens.factors : [...tokens.factors, units];
  return { ...tokens, node: id, shape: writer.shapeOf(id), factors, axes, integers: false };
}

/** Neighbours that are cut out and joined, at most: each is a node. */
const MOST_PIECES = 64;

/** Items of an axis by their places, which may be named in any order and more than once. */
export function picked(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  axis: number,
  places: readonly number[],
): Activation {
  const runs: { from: number; size: number }[] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run !== undefined && place === run.from + run.size) run.size++;
    else runs.push({ from: place, size: 1 });
  }
  if (runs.length > MOST_PIECES)
    throw new Unsupported(
      `it picks the items ${places.slice(0, 8).join(", ")}, … in ${runs.length} pieces, expected ${MOST_PIECES} at most`,
    );
  const parts = runs.map((run) => part(node, translation, x, { axis, ...run, step: 1 }));
  return parts.length === 1 ? first(parts) : concatenation(parts, axis, nodeName(node), translation.writer);
}

/** A part of an axis. */
function part(node: OnnxNode, translation: Translation, x: Activation, cut: Cut): Activation {
  const { axis, from, size, step } = cut;
  const dims = dimsOf(x);
  if (size < 1) throw new Damaged(`gives an empty tensor: nothing of axis ${axis} of [${shapeText(x)}]`);
  const whole = axisSize(x, axis);
  if (from === 0 && size === whole && step === 1) return x;
  if (step !== 1) {
    // Every so many places: the same place of groups of as many.
    const groups = isKnown(whole) && step > 0 && size * step === whole && from < step;
    const grouped = groups ? regrouped(x, dims.toSpliced(axis, 1, size, step), translation.batch) : null;
    if (grouped === null) throw new Unsupported(`it cuts in steps of ${step}`);
    const inner = { axis: axis + 1, from, size: 1, step: 1 };
    const picked = part(node, translation, { ...x, ...grouped }, inner);
    return { ...picked, axes: picked.axes.toSpliced(axis + 1, 1) };
  }
  const [factor, ...more] = at(x.axes, axis);
  if (factor === undefined || factor === 0) throw new Unsupported(`it cuts the batch of [${shapeText(x)}]`);
  if (more.length > 0) return part(node, translation, inOrder(x, translation.writer), cut);
  return sliced(node, translation, x, { axis, factor, from, size });
}

/** Places of one factor. */
function sliced(
  node: OnnxNode,
  { writer }: Translation,
  x: Activation,
  {
    axis,
    factor,
    from,
    size,
  }: { readonly axis: number; readonly factor: number; readonly from: number; readonly size: number },
): Activation {
  const whole = at(x.factors, factor - 1);
  const before = elementsOf(x.factors.slice(0, factor - 1));
  let place = x.shape.findIndex((own, index) => own === whole && elementsOf(x.shape.slice(0, index)) === before);
  let source = x;
  if (place < 0) {
    const behind = elementsOf(x.factors.slice(factor));
    const shape = [...(before === 1 ? [] : [before]), whole, ...(behind === 1 ? [] : [behind])];
    source = shaped(x, shape, writer);
    place = before === 1 ? 0 : 1;
  }
  const id = writer.push({
    ...{ kind: "slice", id: writer.name(nodeName(node)), inputs: [source.node] },
    ...{ axis: place, start: from, size },
  });
  return { ...x, ...withFactor(x, axis, factor - 1, size), node: id, shape: writer.shapeOf(id) };
}
