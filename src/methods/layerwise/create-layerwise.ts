import type { RunConfig } from "../../config/schema.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { UNLIMITED } from "../../quantizers/gate-sample.ts";
import { insertQuantizers } from "../../quantizers/insert-quantizers.ts";
import { type Method, noPrior } from "../method.ts";
import { adaround } from "./adaround.ts";
import { bitSplit } from "./bit-split.ts";
import { givenBits } from "./given-bits.ts";
import type { SolveLayer } from "./layer-problem.ts";
import { mergeBatchNorm, mergeValues } from "./merge-batch-norm.ts";
import { nearest } from "./nearest.ts";

export type LayerwiseSettings = Extract<RunConfig["method"], { name: "nearest" | "adaround" | "bit-split" }>;

/** No channel is pruned and no level gate learns: what stands here is never looked at. */
export const initialGates = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };

/**
 * The methods that quantize a trained network: rounding to nearest, AdaRound, Bit-Split. Until a tensor's turn has come
 * it is in float32.
 */
export function layerwise(config: LayerwiseSettings, seed: number): Method {
  const { quantizeAddends, calibration, ranges, biasCorrection } = config;
  return {
    prepare: (network) => insertQuantizers(network, { quantizeAddends }),
    quantizers(network) {
      const quantizers = createQuantizers(network, {
        pruning: false,
        initial: initialGates,
        prior: "const",
        bitsOf: () => 32,
      });
      for (const { node, range } of quantizers.values()) range[0] = node.limit ?? UNLIMITED;
      return quantizers;
    },
    prior: noPrior,
    trainsWeights: false,
    layerwise: {
      deploy: mergeBatchNorm,
      deployValues: mergeValues,
      bits: (network) => givenBits(network, config.bits),
      solver: (bits) => solverOf(config, bits, seed),
      needs: {
        batch: config.name === "adaround" ? config.batchSize : 0,
        sums: config.name === "bit-split",
        flips: config.name === "adaround" && config.flips,
      },
      calibration,
      ranges,
      biasCorrection,
    },
  };
}

/** What solves a layer at so many bits. With 16 bits, which only a run's learned bits can be, there is nothing to gain over rounding to nearest. */
export function solverOf(config: LayerwiseSettings, bits: Exclude<GridBits, 32>, seed: number): SolveLayer {
  if (config.name === "bit-split") {
    return bits === 16 ? nearest({ steps: "max", perChannel: true }) : bitSplit(config);
  }
  const { steps, perChannel } = config;
  if (config.name === "nearest" || bits === 16) return nearest({ steps, perChannel });
  const { iterations, beta, ...learning } = config;
  return adaround({ ...learning, beta: { ...beta, iterations }, seed });
}
