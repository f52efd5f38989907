import type { Tensor } from "../engine/ops.ts";
import { forward } from "../network/passes.ts";
import type { Model } from "./model.ts";
import { passOf, soleInput, transparentGates } from "./pass.ts";

/** Images that first statistics are taken from. */
export const statisticsImages = 256;

/**
 * Sets the running statistics of every batch normalization to those of a few hundred images, in one pass through the
 * unquantized network. Folded weights are divided by the running deviation: with the 1 that it starts from, their first
 * ranges, and all activations behind them, would be badly scaled.
 */
export function initializeStatistics(model: Model, makeImages: () => Tensor): void {
  const { ops, network } = model;
  if (model.statistics.size === 0) return;
  ops.scope(
    () => {
      forward(
        network,
        passOf(model, transparentGates(model), soleInput(network, makeImages()), { training: true, momentum: 1 }),
        {
          keep: false,
        },
      );
    },
    () => [],
  );
}
