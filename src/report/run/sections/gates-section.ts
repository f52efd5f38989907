import { gatedWidths } from "../../../quantization/levels.ts";
import type { RunRecord } from "../../../runs/record.ts";
import { bitStrip, heatStrip, stripData, stripThin } from "../../charts/strip.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { learnedBits, meanOf, shadeOf, type TensorBits, tensorChip } from "../../page/tensor-bits.ts";
import { channelMarkup } from "./channels-section.ts";

/** A quantizer's states over the drawn epochs. */
interface Course {
  readonly bits: readonly TensorBits[];
  /** By level: the probability that its gate is open. */
  readonly gates: Readonly<Record<string, readonly number[]>>;
  /** Mean probability that a channel's gate is open; empty where channels cannot be pruned. */
  readonly keep: readonly number[];
}

interface Row extends Course {
  readonly id: string;
  readonly row: number;
}

/** How the gates came to where they are: one row of a heat map for every gate. */
export function gateSection(record: RunRecord): Section {
  return {
    id: "gates",
    title: "Gates",
    body: record.epochs.length === 0 ? later("No epoch is finished yet.") : gates(record),
  };
}

function gates(record: RunRecord): Markup {
  const { epochs } = record;
  const drawn = stripThin(epochs.length);
  const rows = record.quantizers.map(({ id }, row): Row => ({ id, row, ...courseOf(record, id, drawn) }));
  const left = drawn.length < epochs.length ? ` ${drawn.length} of ${epochs.length} epochs are drawn.` : "";
  const gate = (title: string, key: string, values: (row: Row) => readonly number[]): Column<Row> => ({
    title,
    kind: "picture",
    value: (row) => values(row).at(-1) ?? null,
    show: (row) => heatCell(values(row), row.row, key),
  });
  return markup`<p>Each strip runs from the first epoch to the last: first the learned bits in their colours, then the probability that a gate is open, <span class="heat-key"><span>0</span> <svg width="72" height="10" viewBox="0 0 20 1" preserveAspectRatio="none" aria-hidden="true">${ramp()}</svg> <span>1</span></span>. The figure beside a strip is the last epoch’s. A gate counts only while all gates before it are open.${left}</p>
${table<Row>({
  id: "gate-table",
  caption: "Probability that each gate is open, over the epochs",
  columns: [
    { title: "Quantizer", value: ({ id }) => id, show: ({ id }) => foreign(id) },
    {
      title: "Learned bits",
      kind: "picture",
      value: ({ bits }) => bits.map(meanOf).at(-1) ?? null,
      show: ({ bits, row }) => bitsCell(bits, row),
    },
    ...gatedWidths.map((level) => gate(`${level} bits`, String(level), ({ gates }) => gates[level] ?? [])),
    gate("Channels (mean)", "keep", ({ keep }) => keep),
  ],
  rows,
})}
${stripData(block, {
  category: "epoch",
  unit: {
    bits: "bits",
    keep: "mean probability",
    ...Object.fromEntries(gatedWidths.map((level) => [level, "probability"])),
  },
  labels: drawn.flatMap((index) => epochs[index]?.epoch ?? []),
  rows: rows.map(({ bits, gates, keep }) => ({ bits: bits.map(meanOf), ...gates, keep })),
})}
${channelMarkup(record)}`;
}

const block = "strips";

const ramp = (): Markup[] =>
  Array.from(
    { length: 20 },
    (_, index) =>
      markup`<rect x="${index}" width="1" height="1" fill="var(--heat)" fill-opacity="${((index + 1) / 20).toFixed(2)}"/>`,
  );

/** The states of a quantizer over the drawn epochs, by key; epochs that lack it are left out. */
function courseOf({ epochs }: RunRecord, id: string, drawn: readonly number[]): Course {
  const course = drawn.flatMap((index) => epochs[index]?.quantizers[id] ?? []);
  return {
    bits: course.map((learned) => learnedBits(learned)),
    gates: Object.fromEntries(
      gatedWidths.map((level, position) => [level, course.map(({ probabilities }) => probabilities[position] ?? 0)]),
    ),
    keep: course.flatMap(({ keepProbability }) => keepProbability ?? []),
  };
}

function heatCell(values: readonly number[], row: number, key: string): Markup {
  const last = values.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${heatStrip(values, { block, row, key })}<span>${last.toFixed(2)}</span></span>`;
}

function bitsCell(bits: readonly TensorBits[], row: number): Markup {
  const last = bits.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${bitStrip(bits.map(shadeOf), { block, row, key: "bits" })}${tensorChip(last)}</span>`;
}
