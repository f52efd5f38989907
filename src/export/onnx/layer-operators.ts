import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first, last } from "../../core/elements.ts";
import { isOnes } from "../../core/pair.ts";
import { tuple } from "../../core/tuple.ts";
import type { Padding } from "../../graph/graph.ts";
import type { FrozenConvolution, FrozenConvTranspose, FrozenLayer, FrozenNetwork } from "../frozen-network.ts";
import type { Attribute, GraphBuilder } from "./graph-builder.ts";
import { convolutionOrder, denseOrder, vectorOrder } from "./value-layout.ts";

export const pads = ({ top, bottom, left, right }: Padding): readonly number[] => [top, left, bottom, right];

/** A layer's weight in the order of elements that ONNX wants. */
export interface OrderedWeight {
  readonly layer: FrozenLayer;
  /** Convolution: [out, in or 1, kernel height, kernel width]; dense: [out, in]. */
  readonly shape: readonly number[];
  /** For each element, its index in the frozen tensor. */
  readonly order: Uint32Array;
}

const orders: ByKind<FrozenLayer, [FrozenNetwork], OrderedWeight> = {
  conv2d: orderedKernels,
  "depthwise-conv2d": orderedKernels,
  "conv-transpose": orderedKernels,
  dense(layer, network) {
    const [inputs, outputs] = tuple(layer.weight.shape, 2);
    const isVector = layer.outputShape.length === 1;
    const order = denseOrder([inputs, outputs], isVector ? vectorOrder(network, first(layer.inputs)) : null);
    return { layer, shape: [outputs, inputs], order };
  },
};

function orderedKernels(layer: FrozenConvolution | FrozenConvTranspose): OrderedWeight {
  const [height, width, inputs, outputs] = tuple(layer.weight.shape, 4);
  return { layer, shape: [outputs, inputs, height, width], order: convolutionOrder([height, width, inputs, outputs]) };
}

export const orderedWeight = (network: FrozenNetwork, layer: FrozenLayer): OrderedWeight =>
  applyByKind(orders, layer, network);

/** The operators of a layer, with the attributes that both of them take. */
export interface LayerOperators {
  /** On values in float32: input, weight, bias. */
  readonly float: { readonly opType: string; readonly attributes: Readonly<Record<string, Attribute>> };
  /** On codes: input, weight and their zero points; null: ONNX has none. */
  readonly integer: IntegerOperators | null;
}

export interface IntegerOperators {
  readonly opType: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Whether it reads the weight as [in, out]. */
  readonly inputsFirst: boolean;
}

const operators: ByKind<FrozenLayer, [], LayerOperators> = {
  conv2d: (layer) => convolution({ ...convolutionAttributes(layer), ...(layer.groups > 1 && { group: layer.groups }) }),
  "depthwise-conv2d": (layer) => convolution({ ...convolutionAttributes(layer), group: last(layer.weight.shape) }),
  "conv-transpose": ({ weight, strides, padding, outputPadding }) => ({
    float: {
      opType: "ConvTranspose",
      attributes: {
        ...{ kernel_shape: weight.shape.slice(0, 2), strides, pads: pads(padding), output_padding: outputPadding },
      },
    },
    integer: null,
  }),
  // Gemm reads [out, in]: given [in, out], onnxruntime's optimizer replaces a quantized Gemm by MatMulNBits, which
  // quantizes its input to 8 bits on the fly.
  dense: () => ({
    float: { opType: "Gemm", attributes: { transB: 1 } },
    integer: { opType: "MatMulInteger", attributes: {}, inputsFirst: true },
  }),
};

/** Whether a dense layer reads rows of more than one axis: [batch, .., units]. */
export const isRows = ({ kind, outputShape }: FrozenLayer): boolean => kind === "dense" && outputShape.length > 1;

/**
 * Adds a dense layer of rows in float32. Gemm knows matrices alone, and takes [out, in]: of a MatMul with dequantized
 * weights onnxruntime's optimizer makes MatMulNBits, which quantizes its input to 8 bits on the fly.
 */
function addRowsOfDense(
  graph: GraphBuilder,
  layer: FrozenLayer,
  { input, weight, bias, output }: Readonly<Record<"input" | "weight" | "bias" | "output", string>>,
): void {
  const { id: name, outputShape } = layer;
  const { opType, attributes } = layerOperators(layer).float;
  const flat = graph.int64s(`${name}.rows.shape`, [-1, at(layer.weight.shape, 0)]);
  const rows = graph.node("Reshape", [input, flat], { name: `${name}.rows` });
  const sums = graph.node(opType, [rows, weight, bias], { name: `${name}.sums`, attributes });
  const shape = graph.int64s(`${name}.shape`, [-1, ...outputShape]);
  graph.node("Reshape", [sums, shape], { name, output });
}

const convolution = (attributes: Readonly<Record<string, Attribute>>): LayerOperators => ({
  float: { opType: "Conv", attributes },
  integer: { opType: "ConvInteger", attributes, inputsFirst: false },
});

const convolutionAttributes = ({ weight, strides, dilations, padding }: FrozenConvolution) => ({
  kernel_shape: weight.shape.slice(0, 2),
  strides,
  ...(!isOnes(dilations) && { dilations }),
  pads: pads(padding),
});

/** Adds a layer that computes in float32: input, weight in `orderedWeight`'s shape, bias. */
export function addFloatOperator(
  graph: GraphBuilder,
  layer: FrozenLayer,
  [input, weight, bias]: readonly [input: string, weight: string, bias: string],
  { output, defaults = {} }: { readonly output: string; readonly defaults?: Readonly<Record<string, Attribute>> },
): void {
  if (isRows(layer)) {
    addRowsOfDense(graph, layer, { input, weight, bias, output });
    return;
  }
  const { id: name } = layer;
  const { opType, attributes } = layerOperators(layer).float;
  const options = { name, output, attributes: { ...(opType === "Conv" && defaults), ...attributes } };
  graph.node(opType, [input, layer.kind === "conv-transpose" ? inputsFirst(graph, weight) : weight, bias], options);
}

/** A weight of [out, in, height, width] as ConvTranspose reads it. */
function inputsFirst(graph: GraphBuilder, weight: string): string {
  // Max of one value is that value: onnxruntime's optimizer moves a DequantizeLinear over Transpose, which lacks short types.
  const shielded = graph.node("Max", [weight], { name: `${weight}.whole` });
  return graph.node("Transpose", [shielded], { name: `${weight}.turned`, attributes: { perm: [1, 0, 2, 3] } });
}

export const layerOperators = (layer: FrozenLayer): LayerOperators => applyByKind(operators, layer);
