import { adaround, bitSplit, type LayerwiseMethod } from "../config/sections/methods/layerwise-settings.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { loadEngine } from "../engine/load-engine.ts";
import type { QuantizeModelOptions } from "../ptq/quantize-model.ts";
import type { Granularity } from "../ptq/weight-site.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";

/** Without data weights can only be rounded. */
export const defaultMethod = ({
  weights,
  data,
  granularity,
}: {
  weights: WeightBits;
  data: string | undefined;
  granularity: Granularity;
}): LayerwiseMethod => (data === undefined || weights === 8 || granularity !== "channel" ? "nearest" : "bit-split");

/** What finds codes; null: rounding to nearest. @throws UsageError where the method does not fit the rest. */
export async function solverFor(
  {
    method,
    iterations,
    granularity,
    seed,
    reporter,
  }: {
    method: LayerwiseMethod;
    iterations: number | undefined;
    granularity: Granularity;
    seed: number;
    reporter: Reporter;
  },
  data: string | undefined,
): Promise<QuantizeModelOptions["solver"]> {
  if (iterations !== undefined && method !== "adaround") {
    throw new UsageError(`iterations are optimizer steps of the method adaround, and ${method} takes none`);
  }
  if (method === "nearest") return null;
  if (typeof granularity === "number" || (granularity === "tensor" && method === "bit-split")) {
    throw new UsageError(
      `the method ${method} has a step for each output channel: choose nearest for this granularity`,
    );
  }
  if (data === undefined) {
    throw new UsageError(`the method ${method} needs samples: give some with --data, as --data samples.npz`);
  }
  const settings =
    method === "bit-split"
      ? bitSplit.parse({ name: method })
      : adaround.parse({ name: method, iterations, perChannel: granularity === "channel" });
  const { ops } = await loadEngine({ reporter });
  return { method: settings, ops, seed };
}
