import type { Tensor } from "../engine/ops.ts";
import type { NodeId, QuantizerNode } from "../network/graph.ts";
import type { QuantizerSetting } from "../network/node-kind.ts";
import { forward } from "../network/passes.ts";
import type { Model } from "./model.ts";
import { passOf } from "./settings.ts";

/** Images that first statistics are taken from. */
export const statisticsImages = 256;

/** Past every value of a network that trains, and small enough to stay finite in float32. */
const UNLIMITED = 1e30;

/** A quantizer that changes nothing but what its ReLU does. */
const transparent = ({ limit }: QuantizerNode): QuantizerSetting => ({
  xMax: limit ?? UNLIMITED,
  ranges: null,
  terms: [{ bits: 32, weight: 1 }],
  wanted: [],
  channelGates: null,
  wantsChannels: false,
});

/**
 * Sets the running statistics of every batch normalization to those of a few hundred images, in one pass through the
 * unquantized network. Folded weights are divided by the running deviation: with the 1 that it starts from, their first
 * ranges, and all activations behind them, would be badly scaled.
 */
export function initializeStatistics(model: Model, makeImages: () => Tensor): void {
  const { ops, network, quantizers } = model;
  if (model.statistics.size === 0) return;
  const settings = new Map<NodeId, QuantizerSetting>();
  for (const [id, { node }] of quantizers) settings.set(id, transparent(node));
  ops.scope(
    () => {
      const pass = passOf(model, new Map(), makeImages(), { training: true, momentum: 1 });
      forward(network, { ...pass, quantizer: (id) => settings.get(id)! }, { keep: false });
    },
    () => [],
  );
}
