import { lookup } from "../core/lookup.ts";
import type { NodeId, Shape } from "../graph/graph.ts";
import { inputsOf } from "../graph/walk.ts";
import { inputNodes, kindOf, type Network, perInput } from "../kinds/index.ts";

/**
 * Output shape of every node, without the batch.
 *
 * @throws Error that names the node whose inputs do not fit.
 */
export function outputShapes(network: Network): ReadonlyMap<NodeId, Shape> {
  const shapes = new Map<NodeId, Shape>();
  const integers = new Set(inputNodes(network).flatMap(({ id, dtype }) => (dtype === "int32" ? [id] : [])));
  for (const node of network.nodes) {
    const kind = kindOf(node);
    for (const [index, id] of inputsOf(node).entries()) {
      const expected = kind.readsIntegers && index === 0 ? "int32" : "float32";
      const found = integers.has(id) ? "int32" : "float32";
      if (found !== expected) throw new Error(`${node.id}: reads "${id}", which is ${found}, expected ${expected}`);
    }
    shapes.set(
      node.id,
      kind.shape(
        node,
        perInput(node, (id) => lookup(shapes, id)),
      ),
    );
  }
  return shapes;
}
