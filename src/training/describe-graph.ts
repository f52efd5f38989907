import { lookup } from "../core/lookup.ts";
import { inputsOf, type Network } from "../graph/graph.ts";
import { outputShapes } from "../network/shapes.ts";
import type { RunRecord } from "../runs/record.ts";

/**
 * What leads from the images to the logits, for the record: the nodes that depend on the input. Parameters and what
 * is made of them alone, as weight quantizers, are left out: they are described with their layers.
 */
export function describeGraph(network: Network): NonNullable<RunRecord["network"]["graph"]> {
  const shapes = outputShapes(network);
  const reached = new Set<string>();
  return network.nodes.flatMap((node) => {
    const inputs = inputsOf(node).filter((id) => reached.has(id));
    if (node.kind !== "input" && inputs.length === 0) return [];
    reached.add(node.id);
    return [{ id: node.id, kind: node.kind, inputs, shape: [...lookup(shapes, node.id)] }];
  });
}
