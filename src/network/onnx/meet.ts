import { at } from "../../core/elements.ts";
import type { NodeId, Shape } from "../../graph/graph.ts";
import { commonShape } from "../../graph/shape.ts";
import { inOrder, refined, reordered, shaped, shapeText } from "./arrangement.ts";
import type { GraphWriter } from "./graph-writer.ts";
import { Unsupported } from "./problems.ts";
import { cutAt, inFileOrder } from "./regroup.ts";
import { isKnown, knownSizes } from "./sizes.ts";
import { walk } from "./strided.ts";
import { type Activation, axisSize, dimsOf, type Floats, factorSize } from "./value.ts";

/** Numbers that meet an activation element by element. */
export interface Along {
  /** As it is met: its factors are cut where the axes of its node end. */
  readonly value: Activation;
  readonly values: Float32Array;
  /** Of the numbers, aligned at the end of the node's shape. */
  readonly shape: Shape;
}

/** A constant of the file as it meets what a node of the graph gives; shapes are aligned at their ends. */
export function along({ dims, values }: Floats, x: Activation, writer: GraphWriter): Along {
  const missing = x.axes.length - dims.length;
  const isRepeated = dims.every((size, index) => size === 1 || size === axisSizeOf(x, index + missing));
  if (!isRepeated) return alongRepeated({ kind: "floats", dims, values }, x, writer);
  const value = refined(x, writer);
  // How far apart in the constant neighbours along each factor are.
  const strides = new Map<number, number>();
  let step = 1;
  for (const [axis, factors] of [...value.axes.entries()].toReversed()) {
    const size = dims[axis - missing] ?? 1;
    let inside = step;
    if (size > 1) {
      for (const factor of factors.toReversed()) {
        const own = factorSize(value, factor);
        if (!isKnown(own)) throw new Unsupported(`its constant [${dims}] tells the samples of a batch apart`);
        strides.set(factor, inside);
        inside *= own;
      }
    }
    step *= size;
  }
  // Where it differs along a part of a node's axis, it is written out along all of it.
  const sizes: number[] = [];
  const shape: number[] = [];
  let factor = 1;
  for (const size of value.shape) {
    const own: number[] = [];
    for (let rest = size; rest > 1; factor++) {
      own.push(factor);
      rest /= at(value.factors, factor - 1);
    }
    const differs = own.some((one) => strides.has(one));
    shape.push(differs ? size : 1);
    sizes.push(...own.map((one) => (differs ? at(value.factors, one - 1) : 1)));
  }
  while (shape.length > 1 && shape[0] === 1) shape.shift();
  const written = new Float32Array(shape.reduce((product, size) => product * size, 1));
  writer.made.take(written.length);
  const view = { sizes, strides: sizes.map((_, index) => strides.get(index + 1) ?? 0), start: 0 };
  walk(view, (from, to) => {
    written[to] = at(values, from);
  });
  return { value, values: written, shape };
}

/** A constant that an activation of axes of size 1 is repeated to. */
function alongRepeated({ dims, values }: Floats, x: Activation, writer: GraphWriter): Along {
  const [batch, ...rest] = dimsOf(x);
  const own = knownSizes(rest);
  const missing = own.length + 1 - dims.length;
  const constant = missing > 0 ? dims : dims.slice(1 - missing);
  const extra = missing > 0 ? [] : dims.slice(0, 1 - missing);
  const common = commonShape(own, constant);
  if (
    common === null ||
    batch === undefined ||
    isKnown(batch) ||
    batch.batches !== 1 ||
    extra.some((size) => size !== 1)
  )
    throw new Unsupported(`its constant has the shape [${dims}], it reads [${shapeText(x)}]`);
  const ordered = shaped(
    inOrder(x, writer),
    [...new Array<number>(common.length - own.length).fill(1), ...own],
    writer,
  );
  const value = { ...ordered, ...inFileOrder([batch, ...common]) };
  return { value, values: Float32Array.from(values), shape: constant };
}

const axisSizeOf = (x: Activation, axis: number) => (axis < 0 ? 1 : axisSize(x, axis));

/** Two activations that meet element by element: what the nodes of both are then, and how the file sees what they make. */
export interface Met {
  readonly inputs: readonly [NodeId, NodeId];
  readonly value: Activation;
}

/** Brings two activations together; axes of size 1 are repeated, shapes are aligned at their ends. */
export function meeting(left: Activation, right: Activation, writer: GraphWriter): Met {
  const rank = Math.max(left.axes.length, right.axes.length);
  const [a, b] = cutAlike(widened(refined(left, writer), rank), widened(refined(right, writer), rank), writer);
  const isCovered = (small: Activation, large: Activation) =>
    small.axes.every((factors, axis) => factors.length === 0 || at(large.axes, axis).length > 0);
  if (isCovered(b, a)) {
    const { small, large } = beside(b, a, writer);
    return { inputs: [large.node, small], value: large };
  }
  if (isCovered(a, b)) {
    const { small, large } = beside(a, b, writer);
    return { inputs: [small, large.node], value: large };
  }
  throw new Unsupported(`it joins [${shapeText(left)}] and [${shapeText(right)}], both of which would be repeated`);
}

const widened = (x: Activation, rank: number): Activation => ({
  ...x,
  axes: [...new Array<readonly number[]>(rank - x.axes.length).fill([]), ...x.axes],
});

/** Both with every axis of the file cut into the same factors, but for axes of size 1. */
function cutAlike(a: Activation, b: Activation, writer: GraphWriter): readonly [Activation, Activation] {
  const misfit = a.axes.some((_, axis) => {
    const sizes = [axisSize(a, axis), axisSize(b, axis)];
    return !sizes.includes(1) && sizes.some((size) => !isKnown(size)) !== sizes.every((size) => !isKnown(size));
  });
  const differs = a.axes.some((_, axis) => {
    const [one, other] = [axisSize(a, axis), axisSize(b, axis)];
    return one !== 1 && other !== 1 && numberOf(one) !== numberOf(other);
  });
  if (misfit || differs) throw new Unsupported(`it joins [${shapeText(a)}] and [${shapeText(b)}], which do not fit`);
  const cut = [cutLike(a, b), cutLike(b, a)] as const;
  if (cut[0] !== null && cut[1] !== null) {
    const [first, second] = [
      { ...a, ...cut[0] },
      { ...b, ...cut[1] },
    ];
    const isAlike = first.axes.every((factors, axis) => {
      const others = at(second.axes, axis);
      return factors.length === 0 || others.length === 0 || sizesOf(first, factors) === sizesOf(second, others);
    });
    if (isAlike) return [first, second];
  }
  // One factor for each axis: all lie in the file's order.
  return [inOrder(a, writer), inOrder(b, writer)];
}

const numberOf = (size: ReturnType<typeof axisSize>): number => (isKnown(size) ? size : size.batches);

const sizesOf = (x: Activation, factors: readonly number[]): string =>
  factors.map((factor) => (factor === 0 ? "batch" : at(x.factors, factor - 1))).join();

/** `x` with its factors cut where those of `like` end along the same axis; null where they do not divide each other. */
function cutLike(x: Activation, like: Activation) {
  const ends = new Map<number, number[]>();
  for (const [axis, factors] of x.axes.entries()) {
    const others = at(like.axes, axis);
    if (factors.length === 0 || others.length === 0) continue;
    const own = factors.filter((factor) => factor !== 0);
    const sizes = own.map((factor) => at(x.factors, factor - 1));
    const wanted = others.filter((factor) => factor !== 0).map((factor) => at(like.factors, factor - 1));
    const row = { factors: sizes, axes: sizes.map((_, index) => [index + 1]) };
    const cut = cutAt(row, wanted);
    if (cut === null) return null;
    for (const [index, factor] of own.entries()) {
      ends.set(
        factor,
        at(cut.axes, index).map((piece) => at(cut.factors, piece - 1)),
      );
    }
  }
  return cutAt(
    x,
    x.factors.flatMap((size, index) => ends.get(index + 1) ?? [size]),
  );
}

/** The smaller of two as a node whose shape, aligned at its end, meets that of the larger. */
function beside(small: Activation, large: Activation, writer: GraphWriter) {
  const partners = new Map<number, number>();
  for (const [axis, factors] of small.axes.entries()) {
    for (const [place, factor] of factors.entries()) partners.set(factor, at(at(large.axes, axis), place));
  }
  if ((partners.get(0) ?? 0) !== 0) throw new Unsupported("it joins tensors whose batch is on different axes");
  const order = small.factors
    .map((_, index) => index + 1)
    .toSorted((one, other) => (partners.get(one) ?? 0) - (partners.get(other) ?? 0));
  const moved = reordered(small, order, writer);
  const known = new Set(partners.values());
  let whole: Activation = large;
  let groups = groupsOf(whole.factors, whole.shape);
  // An axis of the larger's node that the smaller one has only a part of is two.
  const isPartial = (group: readonly number[]) =>
    group.some((one) => known.has(one)) && !group.every((one) => known.has(one));
  if (groups === null || groups.some(isPartial)) {
    whole = shaped(large, large.factors, writer);
    groups = large.factors.map((_, index) => [index + 1]);
  }
  const shape = groups.map((group) =>
    group.reduce((product, one) => product * (known.has(one) ? at(whole.factors, one - 1) : 1), 1),
  );
  const stripped = withoutOnes(shape);
  const node =
    `${withoutOnes(moved.shape)}` === `${stripped}` && moved.shape.length <= whole.shape.length
      ? moved.node
      : shaped(moved, stripped.length === 0 ? [1] : stripped, writer).node;
  return { small: node, large: whole };
}

/** Factors by the axis of a shape that they are part of; null where a factor reaches over two. */
function groupsOf(factors: readonly number[], shape: Shape): number[][] | null {
  let factor = 1;
  const groups: number[][] = [];
  for (const size of shape) {
    const own: number[] = [];
    let rest = size;
    for (; rest > 1; factor++) {
      own.push(factor);
      rest /= at(factors, factor - 1);
    }
    if (rest !== 1) return null;
    groups.push(own);
  }
  return groups;
}

function withoutOnes(shape: Shape): number[] {
  const start = shape.findIndex((size) => size !== 1);
  return start < 0 ? [] : shape.slice(start);
}
