import { at, first } from "../../../core/elements.ts";
import { shapeText, trailing } from "../arrangement.ts";
import type { OnnxNode } from "../model-graph.ts";
import { layerName } from "../names.ts";
import { cut, Damaged, Unsupported } from "../problems.ts";
import { withLast } from "../regroup.ts";
import { sizeText } from "../sizes.ts";
import { permute } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, checkedShape, type Floats, requireUsable } from "../value.ts";
import { product } from "./product-operators.ts";

/** alpha·x·weight + beta·bias. */
export const gemm: Operator = (node, translation) => {
  const { attributes } = node;
  const [alpha, beta] = [attributes.float("alpha", 1), attributes.float("beta", 1)];
  const isTransposed = attributes.int("transB", 0) !== 0;
  if (attributes.int("transA", 0) !== 0) throw new Unsupported("its transA is 1, expected 0");
  const weight = translation.floats(node, 1);
  const bias = translation.has(node, 2) ? translation.floats(node, 2) : null;
  const [rows, columns] = matrix(node, weight, translation);
  const [inputs, outputs] = isTransposed ? [columns, rows] : [rows, columns];
  const values = isTransposed ? permute(weight.values, weight.dims, [1, 0]) : weight.values;
  return denseLayer(node, translation, vectorOf(node, translation), {
    values: scaled(values, alpha),
    inputs,
    outputs,
    bias: bias && scaled(perOutput(bias, outputs), beta),
  });
};

/** A dense layer along the last axis, or along the one before it where the weight stands on the left; else {@link product}. */
export const matMul: Operator = (node, translation) => {
  const constant = [0, 1].find((index) => translation.isConstant(node, index));
  if (constant === undefined) return product(node, translation);
  const given = translation.floats(node, constant);
  const weight = squeezed(given);
  const x = translation.activation(node, 1 - constant);
  const rank = x.axes.length;
  if (given.dims.length > Math.max(2, rank))
    throw new Unsupported(`it multiplies [${shapeText(x)}] by [${given.dims}], which puts an axis before the batch`);
  const [rows, columns] = matrix(node, weight, translation, constant);
  if (constant === 1) {
    const layer = { values: weight.values, inputs: rows, outputs: columns, bias: null };
    return denseLayer(node, translation, { x, axis: rank - 1 }, layer);
  }
  const values = permute(weight.values, weight.dims, [1, 0]);
  const layer = { values, inputs: columns, outputs: rows, bias: null };
  return denseLayer(node, translation, { x, axis: rank - 2, weight: 0 }, layer);
};

/** A matrix, as which a stack of one counts too. */
function squeezed(weight: Floats): Floats {
  const extra = weight.dims.length - 2;
  const isMatrix = extra > 0 && weight.dims.slice(0, extra).every((size) => size === 1);
  return isMatrix ? { ...weight, dims: weight.dims.slice(extra) } : weight;
}

/** A dense layer over one axis of the file; `values` are [in, out] with the inputs as the file orders them. */
export function denseLayer(
  node: OnnxNode,
  { writer }: Translation,
  { x, axis, weight: index = 1 }: { readonly x: Activation; readonly axis: number; readonly weight?: 0 | 1 },
  {
    values,
    inputs,
    outputs,
    bias,
  }: { values: Float32Array; inputs: number; outputs: number; bias: Float32Array | null },
): Activation {
  const found = axisSize(x, axis);
  if (found !== inputs) throw new Damaged(`its weight is for ${inputs} inputs, it reads ${sizeText(found)}`);
  const { value, order } = trailing(x, [axis], writer);
  const shape = checkedShape([...value.shape.slice(0, -1), outputs]);
  const id = writer.name(layerName(node, node.inputs[index]));
  const weight = { values: withRows(values, order, outputs), shape: [inputs, outputs], fanIn: inputs };
  const layer = writer.layer({ kind: "dense", id }, value.node, weight);
  const end = bias === null ? layer : writer.bias(writer.openLayer(layer)!, bias);
  return { ...value, node: end, shape, ...withLast(value, axis, outputs), integers: false };
}

/** Rows in the graph's order of units. */
function withRows(values: Float32Array, order: Int32Array | null, outputs: number): Float32Array {
  if (order === null) return values;
  const rows = new Float32Array(values.length);
  order.forEach((from, to) => {
    rows.set(values.subarray(from * outputs, (from + 1) * outputs), to * outputs);
  });
  return rows;
}

/** @throws Damaged at a weight of no numbers, or of such that cannot be trained with. */
export function requireWeight({ inputs }: OnnxNode, { dims, values }: Floats, { made }: Translation, index = 1): void {
  made.take(values.length);
  if (dims.some((size) => size === 0)) throw new Damaged(`its weight "${cut(at(inputs, index))}" is empty: [${dims}]`);
  requireUsable(`tensor "${cut(at(inputs, index))}"`, values);
}

function matrix(
  node: OnnxNode,
  weight: Floats,
  translation: Translation,
  index = 1,
): readonly [rows: number, columns: number] {
  const { dims } = weight;
  requireWeight(node, weight, translation, index);
  if (dims.length !== 2) throw new Unsupported(`its weight has ${dims.length} dimensions, expected 2`);
  return [first(dims), at(dims, 1)];
}

/** What a dense layer reads, along its last axis. */
function vectorOf(node: OnnxNode, translation: Translation): { readonly x: Activation; readonly axis: number } {
  const x = translation.activation(node);
  if (x.axes.length !== 2)
    throw new Unsupported(`it reads [${shapeText(x)}], expected [batch, units]: flatten before it`);
  return { x, axis: 1 };
}

/** [outputs], [1, outputs] or one number for all. */
function perOutput({ dims, values }: Floats, outputs: number): Float32Array {
  if (values.length === 1) return new Float32Array(outputs).fill(first(values));
  if (values.length !== outputs || dims.at(-1) !== outputs)
    throw new Damaged(`its bias is [${dims}], expected [${outputs}]`);
  return values;
}

const scaled = (values: Float32Array, factor: number): Float32Array =>
  factor === 1 ? values : values.map((value) => value * factor);
