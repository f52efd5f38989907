import {
  type Conv2dNode,
  type DenseNode,
  inputsOf,
  type Network,
  type Node,
  type NodeId,
  type QuantizerNode,
} from "./graph.ts";
import { kindOf } from "./nodes/index.ts";
import { elementsOf, outputShapes } from "./shapes.ts";

/** A layer with weights, as bit operations, pruning, reports and export see it. */
export interface Layer {
  readonly node: Conv2dNode | DenseNode;
  readonly name: string;
  readonly kind: "conv2d" | "dense";
  readonly weight: NodeId;
  readonly bias: NodeId | null;
  readonly weightShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly macs: number;
  readonly parameters: number;
  readonly weightQuantizer: NodeId | null;
  /** The quantizer of the activation it reads; null: the network's input, which counts as 8 bits. */
  readonly inputQuantizer: NodeId | null;
  /** The layer whose output channels are its input channels; null for the first. */
  readonly previous: string | null;
}

/** Nodes by id. */
export const nodesById = (network: Network): ReadonlyMap<NodeId, Node> =>
  new Map(network.nodes.map((node) => [node.id, node]));

/** Walks up from `id` through data inputs to the first quantizer or layer; null at the network's input. */
function upstream(nodes: ReadonlyMap<NodeId, Node>, id: NodeId, kind: "quantizer" | "layer"): NodeId | null {
  for (let node = nodes.get(id); node !== undefined; node = nodes.get(inputsOf(node)[0] ?? "")) {
    if (kind === "quantizer" && isQuantizer(node)) return node.id;
    if (isLayer(node)) return kind === "layer" ? node.id : null;
  }
  return null;
}

const isQuantizer = (node: Node): node is QuantizerNode => node.kind === "quantizer";
export const isLayer = (node: Node): node is Conv2dNode | DenseNode => node.kind === "conv2d" || node.kind === "dense";

/** The layers of a network with and without quantizers, in order. */
export function layersOf(network: Network): readonly Layer[] {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const biases = new Map<NodeId, NodeId>();
  for (const node of network.nodes) {
    if (node.kind === "bias") biases.set(node.inputs[0], node.inputs[1]);
  }
  return network.nodes.filter(isLayer).map((node) => {
    const [data, weightInput] = node.inputs;
    const source = nodes.get(weightInput)!;
    const weightQuantizer = isQuantizer(source) ? source : null;
    const weight = weightQuantizer === null ? source.id : weightQuantizer.inputs[0];
    const bias = biases.get(node.id) ?? null;
    const weightShape = shapes.get(weight)!;
    const outputShape = shapes.get(node.id)!;
    return {
      node,
      name: node.id,
      kind: node.kind,
      weight,
      bias,
      weightShape,
      outputShape,
      macs: kindOf(node).macs!(node, [shapes.get(data)!, weightShape], outputShape),
      parameters: elementsOf(weightShape) + (bias === null ? 0 : elementsOf(shapes.get(bias)!)),
      weightQuantizer: weightQuantizer?.id ?? null,
      inputQuantizer: upstream(nodes, data, "quantizer"),
      previous: upstream(nodes, data, "layer"),
    };
  });
}
