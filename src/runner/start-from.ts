import { lookup } from "../core/lookup.ts";
import type { Network } from "../kinds/index.ts";
import { inverseDeviation } from "../kinds/norm-affine.ts";
import { equalizeLayers } from "../methods/equalize.ts";
import { checkpointOf } from "../runs/checkpoint-of.ts";
import type { Model } from "../training/model.ts";
import { allParameterValues } from "../training/snapshot.ts";
import { takeWeights } from "../training/take-weights.ts";

/**
 * Starts from the weights and statistics of another run.
 *
 * @param from The run's folder, or a checkpoint.
 * @throws UserError when it holds no checkpoint of the same network.
 */
export function startFrom(model: Model, from: string): void {
  takeWeights(model, checkpointOf(from).tensors, from);
}

/** Equalizes the ranges of a model's weights across the layers of its network as it was defined. */
export function equalize(network: Network, model: Model): void {
  const epsilons = new Map(
    network.nodes.flatMap((node) => (node.kind === "batch-norm" ? [[node.id, node.epsilon]] : [])),
  );
  const changed = equalizeLayers(network, {
    parameters: allParameterValues(model),
    inverseDeviations: new Map(
      Array.from(model.statistics, ([id, statistics]) => [id, inverseDeviation(statistics, lookup(epsilons, id))]),
    ),
  });
  for (const [id, values] of changed) model.ops.assign(lookup(model.parameters, id), values);
}
