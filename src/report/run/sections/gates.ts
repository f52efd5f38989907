import type { RunRecord } from "../../../runs/record.ts";
import { bitStrip, heatStrip, stripData, stripThin } from "../../charts/strip.ts";
import { bitChip } from "../../page/chips.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { bitsOf } from "../run-state.ts";
import { channelMarkup } from "./channels.ts";

const levels = [4, 8, 16, 32] as const;

type Quantizer = RunRecord["quantizers"][number];

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
  const courses = record.quantizers.map(({ id }) => courseOf(record, id, drawn));
  const of = new Map(record.quantizers.map(({ id }, row) => [id, { row, course: courses[row]! }]));
  const left = drawn.length < epochs.length ? ` ${drawn.length} of ${epochs.length} epochs are drawn.` : "";
  const gate = (title: string, key: string): Column<Quantizer> => ({
    title,
    kind: "picture",
    value: ({ id }) => of.get(id)!.course[key]?.at(-1) ?? null,
    show: ({ id }) => heatCell(of.get(id)!.course[key] ?? [], of.get(id)!.row, key),
  });
  return markup`<p>Each strip runs from the first epoch to the last: first the learned bits in their colours, then the probability that a gate is open, <span class="heat-key"><span>0</span> <svg width="72" height="10" viewBox="0 0 20 1" preserveAspectRatio="none" aria-hidden="true">${ramp()}</svg> <span>1</span></span>. The figure beside a strip is the last epoch’s. A gate counts only while all gates before it are open.${left}</p>
${table<Quantizer>({
  id: "gate-table",
  caption: "Probability that each gate is open, over the epochs",
  columns: [
    { title: "Quantizer", value: ({ id }) => id, show: ({ id }) => foreign(id) },
    {
      title: "Learned bits",
      kind: "picture",
      value: ({ id }) => of.get(id)!.course.bits.at(-1) ?? null,
      show: ({ id }) => bitsCell(of.get(id)!.course.bits, of.get(id)!.row),
    },
    ...levels.map((level) => gate(`${level} bits`, String(level))),
    gate("Channels (mean)", "keep"),
  ],
  rows: record.quantizers,
})}
${stripData(block, {
  category: "epoch",
  unit: {
    bits: "bits",
    keep: "mean probability",
    ...Object.fromEntries(levels.map((level) => [level, "probability"])),
  },
  labels: drawn.map((index) => epochs[index]!.epoch),
  rows: courses,
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
function courseOf({ epochs }: RunRecord, id: string, drawn: readonly number[]) {
  const course = drawn.flatMap((index) => epochs[index]?.quantizers[id] ?? []);
  return {
    bits: course.map(bitsOf),
    ...Object.fromEntries(
      levels.map((level, position) => [level, course.map(({ probabilities }) => probabilities[position] ?? 0)]),
    ),
    keep: course.flatMap(({ keepProbability }) => keepProbability ?? []),
  } as { readonly bits: ReturnType<typeof bitsOf>[] } & Readonly<Record<string, number[]>>;
}

function heatCell(values: readonly number[], row: number, key: string): Markup {
  const last = values.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${heatStrip(values, { block, row, key })}<span>${last.toFixed(2)}</span></span>`;
}

function bitsCell(bits: readonly ReturnType<typeof bitsOf>[], row: number): Markup {
  const last = bits.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${bitStrip(bits, { block, row, key: "bits" })}${bitChip(last)}</span>`;
}
