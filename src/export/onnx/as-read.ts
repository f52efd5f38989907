import { at } from "../../core/elements.ts";
import type { FrozenNetwork, FrozenNode } from "../frozen-network.ts";
import { isImage, readsAnyOrder, readsImage } from "./axis-layout.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { vectorOrder } from "./value-layout.ts";

const rankOf = (network: FrozenNetwork, source: string): number | undefined =>
  network.nodes.find(({ id }) => id === source)?.outputShape.length;

/** Whether a node reads a value of three axes in another layout than it has in the file. */
export const isTurned = (network: FrozenNetwork, node: FrozenNode, source: string): boolean =>
  rankOf(network, source) === 3 && isImage(network, source) !== readsImage(network, node, source);

/** The value of an input of a node, `name`, in the layout in which the node reads it; adds what brings it there. */
export function asRead(
  graph: GraphBuilder,
  network: FrozenNetwork,
  { node, index, name }: { readonly node: FrozenNode; readonly index: number; readonly name: string },
): string {
  const source = at(node.inputs, index);
  const rank = rankOf(network, source);
  if (rank === 3) {
    if (!isTurned(network, node, source)) return name;
    const perm = isImage(network, source) ? [0, 2, 3, 1] : [0, 3, 1, 2];
    return graph.node("Transpose", [name], { name: `${node.id}.axes${index + 1}`, attributes: { perm } });
  }
  // A flattened image is read in its order by what has a number of its own for each place; others want it as it was.
  if (rank !== 1 || readsAnyOrder(network, node)) return name;
  const order = vectorOrder(network, source);
  if (order === null) return name;
  const places = new Int32Array(order.length);
  order.forEach((place, position) => {
    places[place] = position;
  });
  const indices = graph.int64s(`${node.id}.order${index + 1}`, [...places]);
  return graph.node("Gather", [name, indices], { name: `${node.id}.ordered${index + 1}`, attributes: { axis: 1 } });
}
