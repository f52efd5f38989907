import {
  type BatchNormNode,
  type BiasNode,
  type FoldedNormNode,
  inputsOf,
  isLayer,
  type LayerNode,
  type Network,
  type Node,
  type NodeId,
  nodesById,
  type QuantizerNode,
} from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import { kindOf } from "../kinds/index.ts";
import { outputShapes } from "./shapes.ts";

/** What stands behind a layer and adds one number per channel: its bias or its batch normalization. */
export type Shift = BiasNode | BatchNormNode | FoldedNormNode;

/** A layer with weights, as bit operations, pruning, reports and export see it. */
export interface Layer {
  readonly node: LayerNode;
  readonly name: string;
  readonly kind: LayerNode["kind"];
  readonly weight: NodeId;
  readonly shift: Shift | null;
  readonly weightShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Weights, and biases or scales and shifts. */
  readonly parameters: number;
  readonly weightQuantizer: NodeId | null;
  /** The quantizer of the activation it reads; null: none, or the network's input. */
  readonly inputQuantizer: NodeId | null;
  /** Whether it reads the network's input, which counts as 8 bits. */
  readonly readsInput: boolean;
  /** The layer before it on a straight chain, without a residual sum between; null: there is none. */
  readonly previous: string | null;
}

/** Kinds of nodes whose values are among those of their input: what is on a grid stays on it. */
const preserving: ReadonlySet<Node["kind"]> = new Set(["max-pool", "flatten", "pad"]);

/** The node that `id` has its values from: itself, or what stands before pooling, padding and flattening. */
export function sourceOf(nodes: ReadonlyMap<NodeId, Node>, id: NodeId): Node {
  let node = nodes.get(id)!;
  while (preserving.has(node.kind)) node = nodes.get(inputsOf(node)[0]!)!;
  return node;
}

/** The layers of a network with and without quantizers, in order. */
export function layersOf(network: Network): readonly Layer[] {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const shifts = new Map<NodeId, Shift>();
  for (const node of network.nodes) {
    if (node.kind === "bias" || node.kind === "batch-norm" || node.kind === "folded-norm") {
      shifts.set(node.inputs[0], node);
    }
  }
  return network.nodes.filter(isLayer).map((node) => {
    const [data, weightInput] = node.inputs;
    const { weight, quantizer } = weightOf(nodes, weightInput);
    const shift = shifts.get(node.id) ?? null;
    const source = sourceOf(nodes, data);
    const weightShape = shapes.get(weight)!;
    const outputShape = shapes.get(node.id)!;
    const perChannel = shift === null ? 0 : shift.kind === "bias" ? 1 : 2;
    return {
      node,
      name: node.id,
      kind: node.kind,
      weight,
      shift,
      weightShape,
      outputShape,
      macs: kindOf(node).macs!(node, [shapes.get(data)!, weightShape], outputShape),
      parameters: elementsOf(weightShape) + perChannel * outputShape.at(-1)!,
      weightQuantizer: quantizer?.id ?? null,
      inputQuantizer: source.kind === "quantizer" ? source.id : null,
      readsInput: source.kind === "input",
      previous: previousLayer(nodes, data),
    };
  });
}

/** The parameter behind a layer's weight, and the quantizer between. */
function weightOf(
  nodes: ReadonlyMap<NodeId, Node>,
  id: NodeId,
): { readonly weight: NodeId; readonly quantizer: QuantizerNode | null } {
  let node = nodes.get(id)!;
  const quantizer = node.kind === "quantizer" ? node : null;
  while (node.kind !== "parameter") node = nodes.get(inputsOf(node)[0]!)!;
  return { weight: node.id, quantizer };
}

function previousLayer(nodes: ReadonlyMap<NodeId, Node>, id: NodeId): NodeId | null {
  for (let node = nodes.get(id); node !== undefined; node = nodes.get(inputsOf(node)[0] ?? "")) {
    if (isLayer(node)) return node.id;
    if (node.kind === "add") return null;
  }
  return null;
}
