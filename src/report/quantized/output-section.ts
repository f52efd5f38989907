import { noiseText } from "../../ptq/judge-outputs.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { fixed, integer, percent } from "../page/format.ts";
import { foreign, markup } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";

type Output = NonNullable<QuantizedRecord["comparison"]>["outputs"][number];

const share = (title: string, of: (output: Output) => number | null | undefined): Column<Output> => ({
  title,
  kind: "number",
  value: (output) => of(output) ?? null,
  show: (output) => {
    const value = of(output) ?? null;
    return value === null ? "–" : percent(value);
  },
});

/** Each output of the written file against that of the file that went in. */
export function outputSection({ comparison, calibrated }: QuantizedRecord): Section {
  return {
    id: "outputs",
    title: "Outputs",
    body:
      comparison === null
        ? later("There was no data (--data): the file was loaded, and compared with nothing.")
        : markup`<p>Both files ran on ${integer(comparison.samples)} samples that calibration did not see${calibrated > 0 && ` (activations were calibrated on ${integer(calibrated)} others)`}.</p>
${table<Output>({
  id: "output-table",
  caption: "The written file against the one that went in",
  columns: [
    { title: "Output", value: ({ name }) => name, show: ({ name }) => foreign(name) },
    {
      title: "Signal-to-noise, dB",
      kind: "number",
      value: ({ sqnrDb }) => sqnrDb,
      show: (output) => (output.sqnrDb === null ? noiseText(output) : fixed(output.sqnrDb, 1)),
    },
    {
      title: "Cosine",
      kind: "number",
      value: ({ cosine }) => cosine,
      show: ({ cosine }) => (cosine === null ? "–" : fixed(cosine, 6)),
    },
    share("The same class", ({ agreement }) => agreement),
    ...(comparison.outputs.some(({ top1 = null }) => top1 !== null)
      ? [share("Top-1", ({ top1 }) => top1), share("Top-1 before", ({ top1Float }) => top1Float)]
      : []),
  ],
  rows: comparison.outputs,
})}`,
  };
}
