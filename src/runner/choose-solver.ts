import type { ResolvedQuantize } from "../config/quantize-schema.ts";
import { adaround, bitSplit } from "../config/sections/methods/layerwise-settings.ts";
import type { Reporter } from "../core/progress.ts";
import { loadEngine } from "../engine/load-engine.ts";
import type { QuantizeModelOptions } from "../ptq/quantize-model.ts";
import type { Environment } from "../runs/record.ts";
import { environmentOf } from "./new-record.ts";

/** What finds codes, and where it runs; null: they are rounded to nearest. */
export async function solverFor(
  { method: { name, iterations, granularity }, seed }: Pick<ResolvedQuantize, "method" | "seed">,
  reporter: Reporter,
): Promise<{
  readonly solver: NonNullable<QuantizeModelOptions["solver"]>;
  readonly environment: Environment;
} | null> {
  if (name === "nearest") return null;
  const settings =
    name === "bit-split"
      ? bitSplit.parse({ name })
      : adaround.parse({ name, iterations, perChannel: granularity === "channel" });
  const { ops, info } = await loadEngine({ reporter });
  return { solver: { method: settings, ops, seed }, environment: environmentOf(info) };
}
