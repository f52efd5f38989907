import type { ResolvedQuantize } from "../config/quantize-schema.ts";
import { adaround, bitSplit } from "../config/sections/methods/layerwise-settings.ts";
import type { Reporter } from "../core/progress.ts";
import { loadEngine } from "../engine/load-engine.ts";
import type { Ops } from "../engine/ops.ts";
import type { QuantizeModelOptions } from "../ptq/quantize-model.ts";
import type { Environment } from "../runs/record.ts";
import { environmentOf } from "./run-environment.ts";

/** What finds codes, and what measures the errors of rows. */
interface Solving {
  /** null: codes are rounded to nearest. */
  readonly solver: QuantizeModelOptions["solver"];
  readonly engine: { readonly ops: Ops; readonly seed: number };
  readonly environment: Environment;
}

/** What finds codes, and where it runs; null: they are rounded to nearest, and nothing is measured by the row. */
export async function solverFor(
  config: Pick<ResolvedQuantize, "method" | "seed" | "bits" | "data">,
  reporter: Reporter,
): Promise<Solving | null> {
  const { method, seed, bits, data } = config;
  const { name, iterations, granularity } = method;
  const measuresRows = "budget" in bits && bits.granularity !== "tensor" && data !== undefined;
  if (name === "product-quantization" || (name === "nearest" && !measuresRows)) return null;
  const { ops, info } = await loadEngine({ reporter });
  const engine = { ops, seed };
  const environment = environmentOf(info);
  if (name === "nearest") return { solver: null, engine, environment };
  const settings =
    name === "bit-split"
      ? bitSplit.parse({ name })
      : adaround.parse({ name, iterations, perChannel: granularity === "channel" });
  return { solver: { method: settings, ops, seed }, engine, environment };
}
