import type { RunRecord } from "../../runs/record.ts";
import { bitChip } from "../chips.ts";
import { seriesPerFigure } from "../figure.ts";
import { share } from "../format.ts";
import { lineFigure } from "../line-figure.ts";
import { dataBlock, foreign, type Markup, markup } from "../markup.ts";
import { bitsOf } from "../run-state.ts";
import { bitStrip, heatStrip } from "../strip.ts";
import { type Column, table } from "../table.ts";
import { later, type Section } from "./section.ts";

const levels = [4, 8, 16, 32] as const;

type Quantizer = RunRecord["quantizers"][number];

/** How the gates came to where they are: one row of a heat map for every gate. */
export function gateSection(record: RunRecord): Section {
  return {
    id: "gates",
    title: "Gates over the epochs",
    body:
      record.epochs.length === 0
        ? later("No epoch is finished yet.")
        : markup`<p>Each strip runs from the first epoch to the last. The first shows the learned bits in their colours; the others the probability that a gate is open: <span class="heat-key"><span>0</span> <svg width="72" height="10" viewBox="0 0 20 1" preserveAspectRatio="none" aria-hidden="true">${ramp()}</svg> <span>1</span></span>. The figure beside a strip is the last epoch’s. A gate counts only while all gates before it are open.</p>
${gateTable(record)}
${stripData(record)}
<div class="figures">${channelFigures(record)}</div>`,
  };
}

const ramp = (): Markup[] =>
  Array.from(
    { length: 20 },
    (_, index) =>
      markup`<rect x="${index}" width="1" height="1" fill="var(--heat)" fill-opacity="${((index + 1) / 20).toFixed(2)}"/>`,
  );

/** The states of a quantizer over the epochs; epochs that lack it are left out. */
const courseOf = ({ epochs }: RunRecord, id: string) =>
  epochs.flatMap(({ quantizers }) => (quantizers[id] ? [quantizers[id]] : []));

function gateTable(record: RunRecord): Markup {
  const index = new Map(record.quantizers.map(({ id }, position) => [id, position]));
  const gate = (title: string, name: string, values: (id: string) => readonly number[]): Column<Quantizer> => ({
    title,
    kind: "picture",
    value: ({ id }) => values(id).at(-1) ?? null,
    show: ({ id }) => stripCell(values(id), `${index.get(id)} ${name}`),
  });
  return table<Quantizer>({
    id: "gate-table",
    caption: "Probability that each gate is open",
    columns: [
      { title: "Quantizer", value: ({ id }) => id, show: ({ id }) => foreign(id) },
      {
        title: "Learned bits",
        kind: "picture",
        value: ({ id }) => bitsIn(record, id).at(-1) ?? null,
        show: ({ id }) => bitsCell(bitsIn(record, id), `${index.get(id)} bits`),
      },
      ...levels.map((level, position) =>
        gate(`${level} bits`, String(position), (id) =>
          courseOf(record, id).map(({ probabilities }) => probabilities[position] ?? 0),
        ),
      ),
      gate("Channels (mean)", "keep", (id) => keepProbabilities(record, id)),
    ],
    rows: record.quantizers,
  });
}

const bitsIn = (record: RunRecord, id: string) => courseOf(record, id).map(bitsOf);

const keepProbabilities = (record: RunRecord, id: string): readonly number[] =>
  courseOf(record, id).flatMap(({ keepProbability }) => (keepProbability === null ? [] : [keepProbability]));

function stripCell(values: readonly number[], index: string): Markup {
  const last = values.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${heatStrip(values, index)}<span>${last.toFixed(2)}</span></span>`;
}

function bitsCell(bits: ReturnType<typeof bitsIn>, index: string): Markup {
  const last = bits.at(-1);
  return last === undefined
    ? markup`–`
    : markup`<span class="stripped">${bitStrip(bits, index)}${bitChip(last)}</span>`;
}

/** The exact values behind the strips, for the page's script. */
function stripData(record: RunRecord): Markup {
  const quantizers = record.quantizers.map(({ id }) => {
    const course = courseOf(record, id);
    return {
      bits: course.map(bitsOf),
      ...Object.fromEntries(
        levels.map((_, level) => [level, course.map((one) => rounded(one.probabilities[level] ?? 0))]),
      ),
      keep: keepProbabilities(record, id).map(rounded),
    };
  });
  return dataBlock("strips", { epochs: record.epochs.map(({ epoch }) => epoch), quantizers });
}

const rounded = (value: number): number => Number(value.toPrecision(4));

function channelFigures(record: RunRecord): Markup[] {
  const pruned = record.quantizers.filter(({ channels }) => channels !== null);
  const figures: Markup[] = [];
  for (let start = 0; start < pruned.length; start += seriesPerFigure) {
    figures.push(
      lineFigure({
        id: `channels-${start / seriesPerFigure + 1}`,
        title: "Channels kept, %",
        unit: "\u202f%",
        category: "epoch",
        categories: record.epochs.map(({ epoch }) => String(epoch)),
        series: pruned.slice(start, start + seriesPerFigure).map(({ id, layer, channels }) => ({
          name: layer,
          values: record.epochs.map(({ quantizers }) => {
            const kept = quantizers[id]?.kept ?? null;
            return kept === null || channels === null ? null : share(kept, channels);
          }),
        })),
      }),
    );
  }
  return figures;
}
