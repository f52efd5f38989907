import { shellWord } from "../../core/shell-word.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";

/**
 * The command that quantizes the file with a run's settings.
 *
 * @param more Further words. Widths and layers to skip that come first go before the run's own.
 */
export function commandOf({ source, settings, plan }: QuantizedRecord, more: readonly string[] = []): string {
  const { weights, activations, data, method, iterations, granularity, saturation, skip, layerBits } = settings;
  const { minSqnrDb, minAgreement } = settings;
  const option = (name: string, value: string | number | null | undefined) =>
    value === null || value === undefined ? [] : [name, String(value)];
  const words = [
    ...["bayesian-bits", "quantize", source.file],
    ...option("--data", data),
    ...(plan === null ? option("--weights", weights) : option("--budget", plan.budget)),
    ...option("--activations", activations),
    ...option("--method", method),
    ...option("--iterations", iterations),
    ...(granularity === "channel"
      ? []
      : option("--granularity", typeof granularity === "number" ? `block:${granularity}` : granularity)),
    ...option("--saturation", saturation),
    ...option("--min-sqnr", minSqnrDb),
    ...option("--min-agreement", minAgreement),
    ...more,
    ...Object.entries(layerBits).flatMap(([pattern, bits]) => option("--layer-bits", `${pattern}=${bits}`)),
    ...skip.flatMap((pattern) => option("--skip", pattern)),
    ...["--out", "../again"],
  ];
  return words.map(shellWord).join(" ");
}
