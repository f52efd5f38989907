import { inputsOf, type Network, type Node, type NodeId } from "../network/graph.ts";
import { isLayer, layersOf } from "../network/layers.ts";

/** Quantizer of a layer's weight. */
export const weightQuantizerId = (layer: string): NodeId => `${layer}.weight.quantizer`;
/** Quantizer of a layer's output after its ReLU. */
export const activationQuantizerId = (layer: string): NodeId => `${layer}.quantizer`;

/**
 * Adds a quantizer to every weight and behind every ReLU. The last layer has no pruning gates and its logits no
 * quantizer; the input counts as 8 bits and has none (ARCHITECTURE.md, "The method" 1).
 */
export function insertQuantizers(network: Network, { pruning }: { pruning: boolean }): Network {
  const layers = layersOf(network);
  const last = layers.at(-1)!.name;
  const weights = new Map(layers.map((layer) => [layer.weight, layer]));
  const renamed = new Map<NodeId, NodeId>();
  const nodes: Node[] = [];
  let layer = "";
  for (const original of network.nodes) {
    if (isLayer(original)) layer = original.id;
    const node = rewire(original, renamed);
    if (node.kind === "relu") {
      const id = activationQuantizerId(layer);
      nodes.push({
        kind: "quantizer",
        id,
        inputs: node.inputs,
        role: "activation",
        signed: false,
        rectifies: true,
        prunes: false,
      });
      renamed.set(node.id, id);
      continue;
    }
    nodes.push(node);
    const weightOf = weights.get(node.id);
    if (weightOf !== undefined) {
      const id = weightQuantizerId(weightOf.name);
      const prunes = pruning && weightOf.name !== last;
      nodes.push({ kind: "quantizer", id, inputs: [node.id], role: "weight", signed: true, rectifies: false, prunes });
      renamed.set(node.id, id);
    }
  }
  return { ...network, nodes, output: renamed.get(network.output) ?? network.output };
}

function rewire(node: Node, renamed: ReadonlyMap<NodeId, NodeId>): Node {
  if (!("inputs" in node)) return node;
  return { ...node, inputs: inputsOf(node).map((id) => renamed.get(id) ?? id) } as unknown as Node;
}
