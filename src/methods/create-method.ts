import type { RunConfig } from "../config/schema.ts";
import { bayesianBits } from "./bayesian-bits.ts";
import { fixed } from "./fixed.ts";
import { fp32 } from "./fp32.ts";
import type { Method } from "./method.ts";
import { postTraining } from "./post-training/post-training.ts";
import { sensitivity } from "./sensitivity.ts";

/**
 * The method that a configuration names.
 *
 * @param seed What its own randomness is a function of.
 */
export function createMethod(config: RunConfig["method"], seed: number): Method {
  switch (config.name) {
    case "bayesian-bits":
      return bayesianBits(config);
    case "fixed":
      return fixed(config);
    case "fp32":
      return fp32;
    case "sensitivity":
      return sensitivity(config);
    case "nearest":
    case "adaround":
    case "bit-split":
      return postTraining(config, seed);
  }
}
