import type { ResolvedQuantize } from "../config/quantize-schema.ts";
import { adaround, bitSplit } from "../config/sections/methods/layerwise-settings.ts";
import type { Reporter } from "../core/progress.ts";
import { loadEngine } from "../engine/load-engine.ts";
import type { QuantizeModelOptions } from "../ptq/quantize-model.ts";

/** What finds codes; null: rounding to nearest. */
export async function solverFor(
  { method: { name, iterations, granularity }, seed }: Pick<ResolvedQuantize, "method" | "seed">,
  reporter: Reporter,
): Promise<QuantizeModelOptions["solver"]> {
  if (name === "nearest") return null;
  const settings =
    name === "bit-split"
      ? bitSplit.parse({ name })
      : adaround.parse({ name, iterations, perChannel: granularity === "channel" });
  const { ops } = await loadEngine({ reporter });
  return { method: settings, ops, seed };
}
