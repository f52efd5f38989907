import type { RunConfig } from "../config/schema.ts";
import { bayesianBits } from "./bayesian-bits.ts";
import { fixed } from "./fixed.ts";
import { fp32 } from "./fp32.ts";
import type { Method } from "./method.ts";
import { sensitivity } from "./sensitivity.ts";

/** The method that a configuration names. */
export function createMethod(config: RunConfig["method"]): Method {
  switch (config.name) {
    case "bayesian-bits":
      return bayesianBits(config);
    case "fixed":
      return fixed(config);
    case "fp32":
      return fp32;
    case "sensitivity":
      return sensitivity(config);
  }
}
