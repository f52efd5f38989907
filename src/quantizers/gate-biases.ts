import { lookup } from "../core/lookup.ts";
import {
  type BiasNode,
  inputsOf,
  type LayerNode,
  type Network,
  type Node,
  type NodeId,
  nodesById,
} from "../graph/graph.ts";

/**
 * Lets pruning gates multiply a bias too where a pruned channel must be zero to be cut out: where it reaches a
 * convolution that pads with zeros, or a residual sum. Elsewhere a pruned channel stays the constant that the authors'
 * networks have, which the next layer's bias takes over.
 */
export function gateBiases(network: Network): Network {
  const nodes = nodesById(network);
  const readers = new Map<NodeId, Node[]>();
  for (const node of network.nodes) {
    for (const id of inputsOf(node)) readers.set(id, [...(readers.get(id) ?? []), node]);
  }
  /** Whether a channel of this node that is a constant meets something that makes it none. */
  const mustBeZero = (id: NodeId): boolean =>
    (readers.get(id) ?? []).some((reader) => {
      switch (reader.kind) {
        case "conv2d":
          return pads(reader.padding);
        case "depthwise-conv2d":
          return pads(reader.padding) || mustBeZero(reader.id);
        case "pad":
          return pads(reader.padding) || mustBeZero(reader.id);
        case "add":
          return true;
        case "dense":
          return false;
        default:
          return mustBeZero(reader.id);
      }
    });
  const gated = (node: BiasNode): BiasNode => {
    const layer = nodes.get(node.inputs[0]) as LayerNode;
    const quantizer = lookup(nodes, layer.inputs[1]);
    const prunes = quantizer.kind === "quantizer" && quantizer.prunes;
    return prunes && mustBeZero(node.id) ? { ...node, gate: quantizer.id } : node;
  };
  return { ...network, nodes: network.nodes.map((node) => (node.kind === "bias" ? gated(node) : node)) };
}

const pads = (padding: object): boolean => Object.values(padding).some((size) => size > 0);
