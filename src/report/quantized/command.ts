import { shellWord } from "../../core/shell-word.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";

/** What is to be other than a run has it. */
export interface Changes {
  /** Widths of layers, by name. */
  readonly layers: Readonly<Record<string, number>>;
  /** Names of layers that are to be left in float. */
  readonly skip: readonly string[];
}

/** The command that quantizes the file as a run has done it, in the folder of the run. Changes go before its own settings. */
export function commandOf(
  { settings, files }: QuantizedRecord,
  { layers, skip }: Changes = { layers: {}, skip: [] },
): string {
  const own = files.find(({ path }) => path.endsWith(".yaml"))?.path ?? "quantize.yaml";
  const set = (path: string, value: unknown) => ["--set", `${path}=${JSON.stringify(value)}`];
  const words = [
    ...["bayesian-bits", "quantize", own],
    ...(Object.keys(layers).length > 0 ? set("bits.layers", { ...layers, ...settings.bits.layers }) : []),
    ...(skip.length > 0 ? set("skip", [...skip, ...settings.skip]) : []),
    ...["--out", "../again"],
  ];
  return words.map(shellWord).join(" ");
}
