import { lookup } from "../core/lookup.ts";
import { type FrozenNetwork, type FrozenNode, isFrozenLayer } from "./frozen-network.ts";

/** The nodes between values that the runtime shows: what is compared at once. */
export interface LayerGroup {
  /** The layers in it, or the node at its end where there is none. */
  readonly name: string;
  /** The nodes whose values the group reads. */
  readonly from: readonly FrozenNode[];
  /** In order; the last is what is compared. */
  readonly nodes: readonly FrozenNode[];
}

/**
 * Cuts a network at its quantizers, at values that several nodes read, and at the logits: one group for each, so that
 * no layer stands in two.
 */
export function layerGroups(network: FrozenNetwork): readonly LayerGroup[] {
  const byId = new Map(network.nodes.map((node) => [node.id, node]));
  const readers = new Map<string, number>();
  for (const { inputs } of network.nodes) for (const id of inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  const isCut = ({ kind, id }: FrozenNode) =>
    kind === "quantizer" || kind === "input" || id === network.output || (readers.get(id) ?? 0) > 1;
  return network.nodes
    .filter((node) => isCut(node) && node.kind !== "input")
    .map((end) => {
      const inside = new Set<FrozenNode>();
      const from = new Set<FrozenNode>();
      const collect = (node: FrozenNode) => {
        inside.add(node);
        for (const id of node.inputs) {
          const source = lookup(byId, id);
          if (isCut(source)) from.add(source);
          else collect(source);
        }
      };
      collect(end);
      const nodes = network.nodes.filter((node) => inside.has(node));
      const layers = nodes.filter(isFrozenLayer).map(({ id }) => id);
      return { name: layers.join(" + ") || end.id, from: [...from], nodes };
    });
}
