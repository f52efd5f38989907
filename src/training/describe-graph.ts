import { lookup } from "../core/lookup.ts";
import { inputsOf } from "../graph/walk.ts";
import type { Network } from "../kinds/index.ts";
import { outputShapes } from "../network/output-shapes.ts";
import { reachedByInputs } from "../network/passes.ts";
import type { RunRecord } from "../runs/record.ts";

/**
 * What leads from the inputs to the outputs, for the record: the nodes that depend on an input. Parameters and what is
 * made of them alone, as weight quantizers, are left out: they are described with their layers.
 */
export function describeGraph(network: Network): NonNullable<RunRecord["network"]["graph"]> {
  const shapes = outputShapes(network);
  const reached = reachedByInputs(network);
  return network.nodes
    .filter(({ id }) => reached.has(id))
    .map((node) => ({
      id: node.id,
      kind: node.kind,
      inputs: inputsOf(node).filter((id) => reached.has(id)),
      shape: [...lookup(shapes, node.id)],
    }));
}
