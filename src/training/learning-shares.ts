import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { inputsOf } from "../graph/walk.ts";
import { isLayer, type Network, type ShiftNode } from "../kinds/index.ts";
import { layersOf } from "../network/layers.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { rateFor } from "../quantizers/range.ts";
import type { Model } from "./model.ts";

/**
 * The shares of the learning rate that far smaller parameters learn at, as their ranges do (`rateFor`), by parameter;
 * those that learn at the whole rate are left out. A weight is as small as what its quantizer reads; a bias, or a batch
 * normalization's scale and shift, as small as that or as the layer's output, which may be small where the weight is not.
 */
export function learningShares({
  network,
  quantizers,
}: Pick<Model, "network" | "quantizers">): ReadonlyMap<NodeId, number> {
  const shareOf = ({ floor }: Quantizer) => rateFor(floor);
  if (![...quantizers.values()].some((quantizer) => shareOf(quantizer) < 1)) return new Map();
  const outputs = outputQuantizers(network);
  const shares = new Map<NodeId, number>();
  for (const { node, weight, shift, weightQuantizer } of layersOf(network)) {
    const own = weightQuantizer === null ? 1 : shareOf(lookup(quantizers, weightQuantizer));
    const behind = lookup(outputs, node.id).map((id) => shareOf(lookup(quantizers, id)));
    shares.set(weight, own);
    for (const id of learnedOf(shift)) shares.set(id, Math.min(own, ...behind));
  }
  return new Map([...shares].filter(([, share]) => share < 1));
}

const learnedOf = (shift: ShiftNode | null): readonly NodeId[] =>
  shift === null ? [] : shift.kind === "bias" ? [shift.inputs[1]] : [shift.inputs[1], shift.inputs[2]];

/** The quantizers that the output of each layer, or a sum of it, comes to before another layer reads it. */
function outputQuantizers({ nodes }: Network): ReadonlyMap<NodeId, readonly NodeId[]> {
  const found = new Map<NodeId, NodeId[]>(nodes.filter(isLayer).map(({ id }) => [id, []]));
  /** The layers whose outputs a value is made of. */
  const sources = new Map<NodeId, readonly NodeId[]>();
  for (const node of nodes) {
    const layers = [...new Set(inputsOf(node).flatMap((id) => sources.get(id) ?? []))];
    if (node.kind === "quantizer") for (const layer of layers) lookup(found, layer).push(node.id);
    sources.set(node.id, isLayer(node) ? [node.id] : node.kind === "quantizer" ? [] : layers);
  }
  return found;
}
