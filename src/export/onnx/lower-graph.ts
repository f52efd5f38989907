import type { FrozenLayer, FrozenNetwork, FrozenNode, FrozenQuantizer } from "../frozen-network.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { convolutionOrder, denseOrder, flattenedImage, imageOf } from "./layout.ts";

/** Names of the graph's input and output in every form. */
export const inputName = "input";
export const outputName = "logits";

/** A layer's weight in the order of elements that ONNX wants. */
export interface OrderedWeight {
  readonly layer: FrozenLayer;
  /** Convolution: [out, in, kernel height, kernel width]; dense: [out, in]. */
  readonly shape: readonly number[];
  /** For each element, its index in the frozen tensor. */
  readonly order: Uint32Array;
}

/** What sets the forms of a file apart: how a weight is stored and how an activation is quantized. */
export interface Form {
  readonly doc: string;
  /** Adds the weight; gives the name of its float value. */
  weight(graph: GraphBuilder, weight: OrderedWeight): string;
  /** Adds the quantizer on the value `input`; its float result must be named `output`. */
  quantizer(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void;
}

/** The name that the value of a node has in the file. */
export function valueName(network: FrozenNetwork, node: FrozenNode): string {
  if (node.id === network.output) return outputName;
  return node.kind === "input" ? inputName : node.id;
}

/**
 * Lowers `network` to the bytes of an ONNX file in `form`: input [batch, channels, height, width], normalised float32;
 * output [batch, classes]. Nodes are named after the network's. Equal arguments give equal bytes.
 *
 * @throws Error when the network's nodes do not fit each other.
 */
export function lowerGraph(network: FrozenNetwork, form: Form, metadata: Readonly<Record<string, string>>): Uint8Array {
  const [first] = network.nodes;
  const image = imageOf(first?.outputShape ?? []);
  if (first?.kind !== "input" || image === null) {
    throw new Error(`${network.name}: expected an image as first node, got ${first?.kind ?? "nothing"}`);
  }
  const graph = new GraphBuilder();
  const values = new Map(network.nodes.map((node) => [node.id, valueName(network, node)]));
  for (const node of network.nodes) {
    if (node === first) continue;
    const input = values.get(node.input);
    if (input === undefined) throw new Error(`${node.id}: reads "${node.input}", which is not in the network`);
    lowerNode(graph, network, node, { input, output: values.get(node.id)!, form });
  }
  const [height, width, channels] = image;
  return graph.encode({
    name: network.name,
    doc: form.doc,
    inputs: [{ name: inputName, shape: ["batch", channels, height, width] }],
    outputs: [{ name: outputName, shape: ["batch", network.classes.length] }],
    metadata: { name: network.name, classes: JSON.stringify(network.classes), bits: bitsOf(network), ...metadata },
  });
}

interface Place {
  readonly input: string;
  readonly output: string;
  readonly form: Form;
}

function lowerNode(
  graph: GraphBuilder,
  network: FrozenNetwork,
  node: FrozenNode,
  { input, output, form }: Place,
): void {
  const { id: name } = node;
  switch (node.kind) {
    case "input":
      throw new Error(`${name}: a network has one input`);
    case "conv2d":
    case "dense": {
      const weight = form.weight(graph, orderedWeight(network, node));
      const bias = graph.floats(`${name}.bias`, node.bias, [node.bias.length]);
      // Gemm reads [out, in]: given [in, out], onnxruntime's optimizer replaces a quantized Gemm by MatMulNBits, which
      // quantizes its input to 8 bits on the fly.
      graph.node(node.kind === "conv2d" ? "Conv" : "Gemm", [input, weight, bias], {
        name,
        output,
        attributes: node.kind === "conv2d" ? convolutionAttributes(node) : { transB: 1 },
      });
      return;
    }
    case "max-pool": {
      const { size, stride } = node;
      const attributes = { kernel_shape: [size, size], strides: [stride, stride] };
      // Max of one value is that value. It keeps onnxruntime's optimizer from moving DequantizeLinear over MaxPool,
      // which has no kernels for 2-, 4- and 16-bit types: such a file would not load.
      const shielded = graph.node("Max", [input], { name: `${name}.input` });
      graph.node("MaxPool", [shielded], { name, output, attributes });
      return;
    }
    case "quantizer":
      form.quantizer(graph, node, input, output);
      return;
    case "relu":
      graph.node("Relu", [input], { name, output });
      return;
    case "flatten":
      graph.node("Flatten", [input], { name, output, attributes: { axis: 1 } });
      return;
  }
}

function convolutionAttributes({ weight, stride, padding: { top, bottom, left, right } }: FrozenLayer) {
  const [height, width] = weight.shape as readonly [number, number];
  return { kernel_shape: [height, width], strides: [stride, stride], pads: [top, left, bottom, right] };
}

function orderedWeight(network: FrozenNetwork, layer: FrozenLayer): OrderedWeight {
  if (layer.kind === "dense") {
    const [inputs, outputs] = layer.weight.shape as readonly [number, number];
    const order = denseOrder([inputs, outputs], flattenedImage(network, layer.input));
    return { layer, shape: [outputs, inputs], order };
  }
  const [height, width, inputs, outputs] = layer.weight.shape as readonly [number, number, number, number];
  const order = convolutionOrder([height, width, inputs, outputs]);
  return { layer, shape: [outputs, inputs, height, width], order };
}

/** The learned bits of every tensor, as JSON: `{"conv1.weight":2,"relu1.quantizer":4}`. */
function bitsOf(network: FrozenNetwork): string {
  const bits: Record<string, number> = {};
  for (const node of network.nodes) {
    if (node.kind === "quantizer") bits[node.id] = node.bits;
    else if (node.kind === "conv2d" || node.kind === "dense") bits[`${node.id}.weight`] = node.weight.bits;
  }
  return JSON.stringify(bits);
}
