import { at, first } from "../../../core/elements.ts";
import type { OnnxNode } from "../model-graph.ts";
import { layerName } from "../names.ts";
import { cut, Damaged, Unsupported } from "../problems.ts";
import { permute } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedSize, type Floats, requireUsable } from "../value.ts";

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

export const matMul: Operator = (node, translation) => {
  const weight = translation.floats(node, 1);
  const [inputs, outputs] = matrix(node, weight, translation);
  return denseLayer(node, translation, vectorOf(node, translation), {
    values: weight.values,
    inputs,
    outputs,
    bias: null,
  });
};

/** A dense layer; `values` are [in, out] with the inputs as the file orders them. */
export function denseLayer(
  node: OnnxNode,
  { writer }: Translation,
  x: Activation,
  {
    values,
    inputs,
    outputs,
    bias,
  }: { values: Float32Array; inputs: number; outputs: number; bias: Float32Array | null },
): Activation {
  if (x.size.channels !== inputs) throw new Damaged(`its weight is for ${inputs} inputs, it reads ${x.size.channels}`);
  const size = checkedSize({ height: 1, width: 1, channels: outputs });
  const id = writer.name(layerName(node, node.inputs[1]));
  const weight = {
    tensor: at(node.inputs, 1),
    values: withRows(values, x.order, outputs),
    shape: [inputs, outputs],
    fanIn: inputs,
  };
  const layer = writer.layer({ kind: "dense", id }, x.node, weight);
  const end = bias === null ? layer : writer.bias(writer.openLayer(layer)!, bias);
  return { ...x, node: end, size, order: null };
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
export function requireWeight({ inputs }: OnnxNode, { dims, values }: Floats, { made }: Translation): void {
  made.take(values.length);
  if (dims.some((size) => size === 0)) throw new Damaged(`its weight "${cut(at(inputs, 1))}" is empty: [${dims}]`);
  requireUsable(`tensor "${cut(at(inputs, 1))}"`, values);
}

function matrix(node: OnnxNode, weight: Floats, translation: Translation): readonly [number, number] {
  const { dims } = weight;
  requireWeight(node, weight, translation);
  if (dims.length !== 2) throw new Unsupported(`its weight has ${dims.length} dimensions, expected 2`);
  return [first(dims), at(dims, 1)];
}

function vectorOf(node: OnnxNode, translation: Translation): Activation {
  const x = translation.activation(node);
  if (!x.vector || x.axes.length !== 1 || x.axes[0] !== "channels") {
    throw new Unsupported(`it reads [batch, ${x.axes.join(", ")}], expected [batch, units]: flatten before it`);
  }
  return x;
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
