import type { RunRecord } from "../../runs/record.ts";
import { percent, significant } from "../format.ts";
import { foreign, markup } from "../markup.ts";
import type { Section } from "../sections/section.ts";
import { type Column, table } from "../table.ts";
import { settingsOf } from "./configurations.ts";
import { methodOf } from "./method.ts";
import { spreadOf } from "./spread.ts";

/** The methods that quantize a trained network, in the order of the columns. */
const methods = [
  ["nearest", "Nearest"],
  ["adaround", "AdaRound"],
  ["bit-split", "Bit-Split"],
] as const;

interface Row {
  readonly task: string;
  /** As configured: `weights 4, activations 8`. */
  readonly bits: string;
  readonly runs: readonly RunRecord[];
}

/** Top-1 of the post-training methods side by side, for each bit-width; null where no run is of one. */
export function roundingSection(records: readonly RunRecord[]): Section | null {
  const rows = new Map<string, Row>();
  for (const record of records) {
    if (!record.postTraining || record.result === null) continue;
    const task = `${record.network.name} on ${record.data.name}`;
    const bits = bitsOf(record);
    const key = JSON.stringify([task, bits]);
    rows.set(key, { task, bits, runs: [...(rows.get(key)?.runs ?? []), record] });
  }
  if (rows.size === 0) return null;
  const column = ([name, title]: (typeof methods)[number]): Column<Row> => {
    const own = ({ runs }: Row) => runs.filter((record) => methodOf(record) === name);
    return {
      title,
      kind: "number",
      value: (row) => (own(row).length === 0 ? null : meanTop1(own(row))),
      show: (row) => shown(own(row)),
    };
  };
  return {
    id: "rounding",
    title: "Post-training methods side by side",
    body: markup`<p>Top-1 on the test set of one trained network, quantized without training by each method. Of several runs the mean is shown, with their number.</p>
${table<Row>({
  id: "rounding-table",
  caption: "Top-1 of each method by bit-width",
  columns: [
    { title: "Network", value: ({ task }) => task, show: ({ task }) => foreign(task, 60) },
    { title: "Bits", value: ({ bits }) => bits, show: ({ bits }) => foreign(bits, 80) },
    {
      title: "Relative BOPs",
      kind: "number",
      value: ({ runs }) => runs[0]!.result!.relativeBops,
      show: ({ runs }) => `${significant(runs[0]!.result!.relativeBops)}\u202f%`,
    },
    {
      title: "Float32",
      kind: "number",
      value: ({ runs }) => runs[0]!.postTraining!.floatTop1,
      show: ({ runs }) => percent(runs[0]!.postTraining!.floatTop1),
    },
    ...methods.map(column),
  ],
  rows: [...rows.values()].toSorted((one, other) =>
    `${one.task} ${one.bits}` < `${other.task} ${other.bits}` ? -1 : 1,
  ),
})}`,
  };
}

const meanTop1 = (runs: readonly RunRecord[]): number => spreadOf(runs.map(({ result }) => result!.top1)).mean;

function shown(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return "–";
  const text = percent(meanTop1(runs));
  return runs.length === 1 ? text : `${text} (${runs.length} runs)`;
}

/** The bit-widths as the configuration gives them. */
function bitsOf({ config }: RunRecord): string {
  const settings = settingsOf(config);
  return Array.from(settings)
    .filter(([path, value]) => path.startsWith("method.bits.") && value !== "{}")
    .map(([path, value]) => `${path.slice("method.bits.".length)} ${value.replaceAll('"', "")}`)
    .join(", ");
}
