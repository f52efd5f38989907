import { lookup } from "../core/lookup.ts";
import {
  inputsOf,
  isLayer,
  type LayerNode,
  type Network,
  type Node,
  type NodeId,
  nodesById,
  type QuantizerNode,
  type Statistics,
} from "../graph/graph.ts";
import { layersOf, sourceOf } from "../network/layers.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import { gateBiases } from "./gate-biases.ts";

/** Quantizer of a layer's weight. */
export const weightQuantizerId = (layer: string): NodeId => `${layer}.weight.quantizer`;
/** Quantizer of an activation, by the layer or sum that it comes from. */
export const activationQuantizerId = (source: string): NodeId => `${source}.quantizer`;

export interface QuantizerOptions {
  /** Whether output channels can be pruned. */
  readonly pruning: boolean;
  /** Where training takes batch statistics from. */
  readonly statistics?: Statistics;
  /**
   * Whether what is added up in a residual sum is quantized first. The authors' first version did, their later one,
   * the default here, does not.
   */
  readonly quantizeAddends?: boolean;
}

/**
 * Adds a quantizer to every weight and to everything that a layer reads: behind each ReLU, in whose place it stands,
 * and behind sums, averages and linear outputs that a layer reads. Batch normalization is folded into the weights. The
 * last layer has no pruning gates and its logits no quantizer; the input counts as 8 bits and has none (ARCHITECTURE.md,
 * "The method" 1).
 */
export function insertQuantizers(
  network: Network,
  { pruning, statistics = "every-position", quantizeAddends = false }: QuantizerOptions,
): Network {
  const folded = foldBatchNorm(network, statistics);
  return gateBiases(quantizeActivations(quantizeWeights(folded, pruning), quantizeAddends));
}

function quantizeWeights(network: Network, pruning: boolean): Network {
  const layers = layersOf(network);
  const last = layers.at(-1)!.name;
  const byWeight = new Map(layers.map((layer) => [layer.node.inputs[1], layer]));
  const quantizers = new Map<NodeId, QuantizerNode>();
  for (const [weight, { name, shift }] of byWeight) {
    quantizers.set(weight, {
      kind: "quantizer",
      id: weightQuantizerId(name),
      inputs: [weight],
      role: "weight",
      signed: true,
      rectifies: false,
      limit: null,
      prunes: pruning && name !== last,
      gated: shift?.kind === "folded-norm" ? "output" : "weight",
    });
  }
  const nodes = nodesById(network);
  const withGates = network.nodes.map((node): Node => {
    if (node.kind !== "folded-norm") return node;
    const quantizer = lookup(quantizers, (nodes.get(node.inputs[0]) as LayerNode).inputs[1]);
    return quantizer.prunes ? { ...node, gate: quantizer.id } : node;
  });
  return insertBehind({ ...network, nodes: withGates }, quantizers, isLayer);
}

function quantizeActivations(network: Network, quantizeAddends: boolean): Network {
  const nodes = nodesById(network);
  const quantized = new Map<NodeId, QuantizerNode>();
  const quantize = (node: Node) => {
    if (quantized.has(node.id) || node.kind === "input" || node.kind === "quantizer") return;
    quantized.set(node.id, activationQuantizer(nodes, node));
  };
  for (const node of network.nodes) if (node.kind === "relu" && node.id !== network.output) quantize(node);
  for (const { node } of layersOf(network)) quantize(sourceOf(nodes, node.inputs[0]));
  if (quantizeAddends) {
    for (const node of network.nodes) {
      if (node.kind === "add") for (const id of node.inputs) quantize(sourceOf(nodes, id));
    }
  }
  const readsRaw = (reader: Node, source: NodeId) =>
    reader.kind === "add" && !quantizeAddends && lookup(nodes, source).kind !== "relu";
  const inserted = insertBehind(network, quantized, (reader, source) => !readsRaw(reader, source));
  // A ReLU whose quantizer clips at zero is that quantizer.
  const replaced = new Map<NodeId, NodeId>();
  for (const node of inserted.nodes)
    if (node.kind === "relu" && quantized.has(node.id)) replaced.set(node.id, node.inputs[0]);
  const kept = inserted.nodes.filter(({ id }) => !replaced.has(id));
  return { ...inserted, nodes: kept.map((node) => rewire(node, replaced)) };
}

function activationQuantizer(nodes: ReadonlyMap<NodeId, Node>, node: Node): QuantizerNode {
  return {
    kind: "quantizer",
    id: activationQuantizerId(producerOf(nodes, node)),
    inputs: [node.id],
    role: "activation",
    signed: !isNonNegative(nodes, node),
    rectifies: node.kind === "relu",
    limit: node.kind === "relu" ? node.limit : null,
    prunes: false,
    gated: "weight",
  };
}

/** The layer that an activation is the output of, or the node that makes it where there is no single one. */
function producerOf(nodes: ReadonlyMap<NodeId, Node>, node: Node): NodeId {
  if (node.kind === "relu") return producerOf(nodes, lookup(nodes, node.inputs[0]));
  if (node.kind === "bias" || node.kind === "batch-norm" || node.kind === "folded-norm") return node.inputs[0];
  return node.id;
}

/** Whether no value of a node is below zero. */
function isNonNegative(nodes: ReadonlyMap<NodeId, Node>, node: Node): boolean {
  switch (node.kind) {
    case "relu":
      return true;
    case "quantizer":
      return !node.signed;
    case "max-pool":
    case "average-pool":
    case "global-average-pool":
    case "flatten":
    case "pad":
    case "add":
      return inputsOf(node).every((id) => isNonNegative(nodes, lookup(nodes, id)));
    default:
      return false;
  }
}

/** Puts a node behind others; the readers that `reads` picks then read it instead. */
function insertBehind(
  network: Network,
  inserted: ReadonlyMap<NodeId, QuantizerNode>,
  reads: (reader: Node, source: NodeId) => boolean,
): Network {
  const nodes = network.nodes.flatMap((node): Node[] => {
    const renamed = new Map(
      inputsOf(node).flatMap((id) => {
        const quantizer = inserted.get(id);
        return quantizer !== undefined && reads(node, id) ? [[id, quantizer.id] as const] : [];
      }),
    );
    const quantizer = inserted.get(node.id);
    return [rewire(node, renamed), ...(quantizer ? [quantizer] : [])];
  });
  return { ...network, nodes };
}

/** The node with other inputs. */
function rewire(node: Node, renamed: ReadonlyMap<NodeId, NodeId>): Node {
  if (!("inputs" in node) || renamed.size === 0) return node;
  return { ...node, inputs: inputsOf(node).map((id) => renamed.get(id) ?? id) } as unknown as Node;
}
