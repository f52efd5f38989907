import { UsageError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { insertBehind, rewire } from "../graph/rewrite.ts";
import { inputsOf, nodesById, type Readers, readersOf } from "../graph/walk.ts";
import type { Statistics } from "../kinds/folded-norm.ts";
import { isLayer, isShift, kindOf, type Network, type Node, perInput } from "../kinds/index.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { type Layer, layersOf, shiftOf, sourceOf } from "../network/layers.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";

/** Quantizer of a layer's weight. */
export const weightQuantizerId = (layer: string): NodeId => `${layer}.weight.quantizer`;
/** Quantizer of an activation, by the layer or sum that it comes from. */
export const activationQuantizerId = (source: string): NodeId => `${source}.quantizer`;

export interface QuantizerOptions {
  /** Where training takes batch statistics from. */
  readonly statistics?: Statistics;
  /**
   * Whether what is added up in a residual sum is quantized first. The authors' first version did, their later one,
   * the default here, does not.
   */
  readonly quantizeAddends?: boolean;
}

/**
 * Adds a quantizer to every weight and to everything that a layer or a product of two matrices reads: behind each ReLU, in whose place it stands,
 * and behind sums, averages and linear outputs that a layer reads. Batch normalization is folded into the weights. What
 * the network gives has no quantizer; the input has none (docs/method.md, "Quantizer").
 */
export function insertQuantizers(
  network: Network,
  { statistics = "every-position", quantizeAddends = false }: QuantizerOptions = {},
): Network {
  const folded = foldBatchNorm(network, statistics);
  return quantizeActivations(quantizeWeights(folded), quantizeAddends);
}

/**
 * Adds a quantizer to the tables of embeddings, and to nothing else.
 *
 * @throws UsageError where there are none.
 */
export function quantizeEmbeddings(network: Network): Network {
  const isEmbedding = ({ kind }: Layer) => kind === "embedding";
  if (layersOf(network).some(isEmbedding)) return quantizeWeights(network, isEmbedding);
  throw new UsageError(`method.layers: ${network.name} has no embeddings: leave it away`);
}

/** Adds a quantizer to the weights of the layers that `isQuantized` picks, and to nothing else. */
export function quantizeWeights(network: Network, isQuantized: (layer: Layer) => boolean = () => true): Network {
  const layers = layersOf(network).filter(isQuantized);
  const quantizers = new Map<NodeId, QuantizerNode>(
    layers.map(({ node, name }) => [
      node.inputs[1],
      {
        kind: "quantizer",
        id: weightQuantizerId(name),
        inputs: [node.inputs[1]],
        role: "weight",
        signed: true,
        rectifies: false,
        limit: null,
      },
    ]),
  );
  return { ...network, nodes: insertBehind<Node>(network.nodes, quantizers, isLayer) };
}

function quantizeActivations(network: Network, quantizeAddends: boolean): Network {
  const nodes = nodesById(network);
  const readers = readersOf(network);
  const nonNegative = nonNegativeNodes(network);
  const ofMasks = nodesOfMasks(network);
  const isOutput = (id: NodeId) => network.outputs.includes(id);
  const isUnited = (node: Node) => kindOf(node).grid === "united";
  /** Whether all that reads a node, or what has its values, puts them beside others: one quantizer behind that is enough. */
  const isUnitedLater = (id: NodeId): boolean =>
    !isOutput(id) &&
    (readers.get(id) ?? []).every((node) => isUnited(node) || (kindOf(node).grid === "kept" && isUnitedLater(node.id)));
  const quantized = new Map<NodeId, QuantizerNode>();
  const quantize = (node: Node) => {
    if (quantized.has(node.id) || node.kind === "input" || node.kind === "quantizer" || ofMasks.has(node.id)) return;
    const rectifies = node.kind === "relu" && !isOutput(node.id);
    quantized.set(node.id, {
      kind: "quantizer",
      id: activationQuantizerId(producerOf(nodes, readers, node)),
      inputs: [node.id],
      role: "activation",
      signed: !nonNegative.has(node.id),
      rectifies,
      limit: node.kind === "relu" ? node.limit : null,
    });
  };
  for (const node of network.nodes) {
    if ((node.kind === "relu" || isUnited(node)) && !isOutput(node.id) && !isUnitedLater(node.id)) quantize(node);
  }
  for (const { node } of layersOf(network)) quantize(sourceOf(nodes, node.inputs[0]));
  for (const node of network.nodes) {
    if (node.kind === "matmul") for (const id of node.inputs) quantize(sourceOf(nodes, id));
  }
  if (quantizeAddends) {
    for (const node of network.nodes) {
      if (node.kind === "add") for (const id of node.inputs) quantize(sourceOf(nodes, id));
    }
  }
  const readsRaw = (reader: Node, source: Node) => {
    if (source.kind === "relu") return false;
    return isUnited(reader) || (reader.kind === "add" && !quantizeAddends && !isUnited(source));
  };
  const inserted = insertBehind<Node>(network.nodes, quantized, (reader, id) => !readsRaw(reader, lookup(nodes, id)));
  // A ReLU whose quantizer clips at zero is that quantizer.
  const replaced = new Map<NodeId, NodeId>();
  for (const node of inserted)
    if (node.kind === "relu" && quantized.get(node.id)?.rectifies) replaced.set(node.id, node.inputs[0]);
  const kept = inserted.filter(({ id }) => !replaced.has(id));
  return { ...network, nodes: kept.map((node) => rewire(node, replaced)) };
}

/** The layer that an activation is the output of, or the node that makes it where there is no single one. */
function producerOf(nodes: ReadonlyMap<NodeId, Node>, readers: Readers<Node>, node: Node): NodeId {
  if (node.kind === "relu") return producerOf(nodes, readers, lookup(nodes, node.inputs[0]));
  if (!isShift(node)) return node.id;
  const before = lookup(nodes, node.inputs[0]);
  return isLayer(before) && shiftOf(before, readers) === node ? before.id : node.id;
}

/** The nodes that say which tokens there are, or how many: numbers of texts, not of what is in them. They stay exact. */
function nodesOfMasks({ nodes }: Network): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  const constant = new Set<NodeId>();
  for (const node of nodes) {
    const inputs = inputsOf(node);
    const isOfMask = (id: NodeId) => found.has(id) || constant.has(id);
    if (node.kind === "parameter") constant.add(node.id);
    else if (isLayer(node)) continue;
    else if (node.kind === "token-mask" || (inputs.some((id) => found.has(id)) && inputs.every(isOfMask)))
      found.add(node.id);
  }
  return found;
}

/** The nodes of which no value is below zero. */
function nonNegativeNodes(network: Network): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  for (const node of network.nodes) {
    const inputs = perInput(node, (id) => found.has(id));
    if (kindOf(node).nonNegative(node, inputs)) found.add(node.id);
  }
  return found;
}
