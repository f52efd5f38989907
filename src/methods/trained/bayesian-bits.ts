import type { RunConfig } from "../../config/schema.ts";
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
        ...(bits && { bitsOf: ({ role }) => (role === "weight" ? bits.weights : bits.activations) }),
      }),
    prior: { strength: prior.strength, target: prior.target ?? null },
    trainsWeights: trainWeights,
  };
}
