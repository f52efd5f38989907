import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { nodesById, readersOf } from "../graph/walk.ts";
import type { BatchNormNode } from "../kinds/batch-norm.ts";
import type { FoldNode } from "../kinds/fold.ts";
import type { Statistics } from "../kinds/folded-norm.ts";
import { isProductLayer, type Network, type Node, type ProductLayerNode } from "../kinds/index.ts";
import { shiftOf } from "../network/layers.ts";

/** The folded weight of a layer. */
export const foldedWeightId = (layer: string): NodeId => `${layer}.weight.folded`;

/**
 * Folds each batch normalization that alone reads a layer into the layer's weight, as it will be deployed; what is
 * left of it stays behind the layer. Others stay as they are. Parameters come first in the result: a weight is folded
 * with a scale that the network names after the layer.
 */
export function foldBatchNorm(network: Network, statistics: Statistics): Network {
  const nodes = nodesById(network);
  const readers = readersOf(network);
  const norms = new Map<NodeId, BatchNormNode>();
  for (const node of network.nodes) {
    const shift = isProductLayer(node) ? shiftOf(node, readers) : null;
    if (shift?.kind === "batch-norm") norms.set(node.id, shift);
  }
  if (norms.size === 0) return network;
  const parameters = network.nodes.filter(({ kind }) => kind === "parameter");
  const rest = network.nodes.filter(({ kind }) => kind !== "parameter");
  const folded = rest.flatMap((node): Node[] => {
    if (isProductLayer(node)) {
      const norm = norms.get(node.id);
      return norm === undefined ? [node] : [foldOf(node, norm), withFoldedWeight(node)];
    }
    if (node.kind !== "batch-norm") return [node];
    const layer = lookup(nodes, node.inputs[0]);
    if (!isProductLayer(layer) || norms.get(layer.id) !== node) return [node];
    return [
      {
        kind: "folded-norm",
        id: node.id,
        inputs: statistics === "running" ? node.inputs : [...node.inputs, ...layer.inputs],
        norm: node.id,
        epsilon: node.epsilon,
        statistics,
        geometry: layer,
      },
    ];
  });
  return { ...network, nodes: [...parameters, ...folded] };
}

/**
 * The network with its batch normalizations frozen: they use the running statistics, which no longer move. Those that
 * are not folded into a layer keep scale and shift too, as they are deployed.
 */
export const freezeBatchNorm = (network: Network): Network => ({
  ...network,
  nodes: network.nodes.map((node) => {
    if (node.kind === "batch-norm") return { ...node, frozen: true };
    if (node.kind !== "folded-norm") return node;
    const [output, scale, shift] = node.inputs;
    return { ...node, statistics: "running", inputs: [output, scale, shift] };
  }),
});

const foldOf = (layer: ProductLayerNode, norm: BatchNormNode): FoldNode => ({
  kind: "fold",
  id: foldedWeightId(layer.id),
  inputs: [layer.inputs[1], norm.inputs[1]],
  norm: norm.id,
  epsilon: norm.epsilon,
});

const withFoldedWeight = (layer: ProductLayerNode): ProductLayerNode => ({
  ...layer,
  inputs: [layer.inputs[0], foldedWeightId(layer.id)],
});
