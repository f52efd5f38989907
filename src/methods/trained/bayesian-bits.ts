import type { RunConfig } from "../../config/schema.ts";
import { last } from "../../core/elements.ts";
import { UsageError } from "../../core/errors.ts";
import type { Network } from "../../kinds/index.ts";
import { layersOf } from "../../network/layers.ts";
import type { WidthGranularity } from "../../quantization/width-granularity.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../quantizers/insert-quantizers.ts";
import type { Method } from "../method.ts";

type Config = Extract<RunConfig["method"], { name: "bayesian-bits" }>;

/** Bayesian Bits and its variants: quantization only, pruning only at fixed bits, post-training. */
export function bayesianBits({
  prior,
  pruning,
  bits,
  trainWeights,
  gates,
  batchNorm,
  quantizeAddends,
  weightRanges,
  granularity,
}: Config): Method {
  return {
    prepare: (network) =>
      insertQuantizers(network, { quantizeAddends, statistics: trainWeights ? batchNorm : "running" }),
    quantizers: (network) =>
      createQuantizers(network, {
        pruning,
        initial: gates.initial,
        prior: prior.kind,
        weightRanges,
        granularity: fittingGranularity(network, granularity),
        ...(bits && { bitsOf: ({ role }) => (role === "weight" ? bits.weights : bits.activations) }),
      }),
    prior: { strength: prior.strength, target: prior.target ?? null },
    trainsWeights: trainWeights,
  };
}

/** @throws UsageError for groups that no layer has so many channels for. */
function fittingGranularity(network: Network, granularity: Config["granularity"]): WidthGranularity {
  if (typeof granularity === "string") return granularity;
  const most = Math.max(...layersOf(network).map(({ weightShape }) => last(weightShape)));
  if (granularity.group > most) {
    throw new UsageError(
      `method.granularity.group: expected at most ${most}, the output channels of the widest layer of ${network.name}, got ${granularity.group}; with tensor all channels share their bit-width`,
    );
  }
  return granularity;
}
