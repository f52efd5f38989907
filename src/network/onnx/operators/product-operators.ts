import { at } from "../../../core/elements.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { reordered, shaped, shapeText } from "../arrangement.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { inFileOrder } from "../regroup.ts";
import { isKnown, type Size, sizesText } from "../sizes.ts";
import type { Translation } from "../translation.ts";
import { type Activation, axisSize, checkedShape, dimsOf } from "../value.ts";

/** The matrix products of two activations, over all axes before the last two. */
export function product(node: OnnxNode, translation: Translation): Activation {
  const { writer } = translation;
  const [left, right] = [translation.activation(node, 0), translation.activation(node, 1)];
  const [a, b] = [dimsOf(left), dimsOf(right)];
  const [m, k] = [at(a, -2), at(a, -1)];
  const [inner, n] = [at(b, -2), at(b, -1)];
  const lead = a.slice(0, -2);
  const fits = [m, k, n].every(isKnown) && k === inner && sizesText(lead) === sizesText(b.slice(0, -2));
  if (!fits || lead.length === 0) {
    throw new Unsupported(
      `it multiplies [${shapeText(left)}] and [${shapeText(right)}], expected as many matrices of each`,
    );
  }
  const [one, other] = [matrices(left, translation), matrices(right, translation)];
  const id = writer.push({
    ...{ kind: "matmul", id: writer.name(nodeName(node)), inputs: [one.node, other.node] },
    ...{ transposeA: one.isTransposed, transposeB: other.isTransposed },
  });
  const dims: readonly Size[] = [...lead, m, n];
  return { ...left, ...inFileOrder(dims), node: id, shape: checkedShape(writer.shapeOf(id)) };
}

/** An activation as [all axes before the last two, rows, columns], or with rows and columns the other way round. */
function matrices(x: Activation, { writer }: Translation) {
  const [rows, columns] = [at(x.axes, -2), at(x.axes, -1)];
  const [batch, ...lead] = x.axes.slice(0, -2).flat();
  if (batch !== 0)
    throw new Unsupported(`it multiplies matrices of [${shapeText(x)}], whose first axis is not the batch`);
  const isTransposed = Math.max(0, ...rows) > Math.max(0, ...columns);
  const order = [...lead, ...(isTransposed ? [...columns, ...rows] : [...rows, ...columns])];
  const [height, width] = [axisSize(x, x.axes.length - 2), axisSize(x, x.axes.length - 1)];
  if (!isKnown(height) || !isKnown(width)) throw new Damaged(`its matrices are of [${shapeText(x)}]`);
  const count = elementsOf(lead.map((factor) => at(x.factors, factor - 1)));
  const sides = isTransposed ? [width, height] : [height, width];
  const moved = reordered(x, order, writer);
  return { node: shaped(moved, [...(count === 1 ? [] : [count]), ...sides], writer).node, isTransposed };
}
