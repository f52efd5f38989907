import { UserError } from "../base/errors.ts";
import { learnedChannels } from "../methods/bit-accounting.ts";
import { keptChannels } from "../network/channels.ts";
import { layersOf } from "../network/layers.ts";
import type { Model } from "./model.ts";

/**
 * Stops a training that prunes a layer away: no file could be made of it. A branch of a residual sum may lose all its
 * gates, as the sum keeps its channels.
 *
 * @throws UserError that names the layer, when the test-time gates leave none of its channels.
 */
export function refuseEmptyLayers({ network, quantizers }: Pick<Model, "network" | "quantizers">, step: number): void {
  if (Array.from(quantizers.values()).every(({ kept }) => kept === null || kept.length > 0)) return;
  const states = learnedChannels(network, quantizers);
  const empty = layersOf(network).find(({ node }) => keptChannels(states.get(node.id)!).length === 0);
  if (empty === undefined) return;
  throw new UserError(
    `training stopped at step ${step}: the last of the ${empty.outputShape.at(-1)} channels of ${empty.name} was pruned; ` +
      "use a smaller method.prior.strength, or continue from the last checkpoint with lower rates for the gates (training.gates.learningRate)",
  );
}
