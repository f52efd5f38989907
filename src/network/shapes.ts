import { inputsOf, type Network, type NodeId, type Shape } from "../graph/graph.ts";
import { kindOf } from "../kinds/index.ts";

/**
 * Output shape of every node, without the batch.
 *
 * @throws Error that names the node whose inputs do not fit.
 */
export function outputShapes(network: Network): ReadonlyMap<NodeId, Shape> {
  const shapes = new Map<NodeId, Shape>();
  for (const node of network.nodes) {
    const inputs = node.kind === "input" ? [network.inputShape] : inputsOf(node).map((id) => shapes.get(id)!);
    shapes.set(node.id, kindOf(node).shape(node, inputs));
  }
  return shapes;
}
