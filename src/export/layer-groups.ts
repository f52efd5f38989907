import type { FrozenNetwork, FrozenNode } from "./frozen-network.ts";

/** The nodes between two values that the runtime shows: what is compared at once. */
export interface LayerGroup {
  /** The layer in it, or the quantizer where there is none. */
  readonly name: string;
  /** The quantizer, or the input, whose value the group reads. */
  readonly from: FrozenNode;
  /** In order; the last is a quantizer or the network's output. */
  readonly nodes: readonly FrozenNode[];
}

/** Cuts a network at its quantizers: one group per quantizer, and one for the logits. */
export function layerGroups(network: FrozenNetwork): readonly LayerGroup[] {
  const byId = new Map(network.nodes.map((node) => [node.id, node]));
  const ends = network.nodes.filter(({ kind, id }) => kind === "quantizer" || id === network.output);
  return ends.map((end) => {
    const nodes = [end];
    let from = byId.get(end.input)!;
    while (from.kind !== "quantizer" && from.kind !== "input") {
      nodes.unshift(from);
      from = byId.get(from.input)!;
    }
    const layer = nodes.findLast(({ kind }) => kind === "conv2d" || kind === "dense");
    return { name: (layer ?? end).id, from, nodes };
  });
}
