import type { RunConfig } from "../config/schema.ts";
import { layerwise } from "./layerwise/create-layerwise.ts";
import { productQuantization } from "./layerwise/create-product.ts";
import type { Method } from "./method.ts";
import { autoq } from "./trained/autoq.ts";
import { bayesianBits } from "./trained/bayesian-bits.ts";
import { dpq } from "./trained/dpq.ts";
import { fixed } from "./trained/fixed.ts";
import { fp32 } from "./trained/fp32.ts";
import { sensitivity } from "./trained/sensitivity.ts";

/**
 * The method that a configuration names.
 *
 * @param seed What its own randomness is a function of.
 */
export function createMethod(config: RunConfig["method"], seed: number): Method {
  switch (config.name) {
    case "bayesian-bits":
      return bayesianBits(config);
    case "autoq":
      return autoq(config);
    case "dpq":
      return dpq(config);
    case "fixed":
      return fixed(config);
    case "fp32":
      return fp32;
    case "sensitivity":
      return sensitivity(config);
    case "product-quantization":
      return productQuantization(config, seed);
    case "nearest":
    case "adaround":
    case "bit-split":
      return layerwise(config, seed);
  }
}
