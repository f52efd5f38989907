import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { RunRecord, RunResult } from "../../runs/record.ts";
import { mainMetric, mainValue } from "../../tasks/metric.ts";
import type { Mark } from "../browser/data.ts";
import { type HeatCell, heatMap } from "../charts/heat-map.ts";
import { thin } from "../charts/thin.ts";
import { bitChip, bitWidths } from "../page/chips.ts";
import { integer, percent } from "../page/format.ts";
import { foreign, type Markup, markup, shorten } from "../page/markup.ts";
import { shown } from "../page/metrics.ts";
import type { Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { bitsText, meanText, resultBits, shadeOf, type TensorBits } from "../page/tensor-bits.ts";
import { groupRuns } from "./configurations.ts";
import type { NumberOf } from "./run-numbers.ts";

type LayerResult = RunResult["layers"][number];

/** A run with a result, and its layers by name. */
interface Finished {
  /** Its configuration's, with its seed where that has several runs. */
  readonly name: string;
  readonly record: RunRecord;
  readonly result: RunResult;
  readonly layers: ReadonlyMap<string, LayerResult>;
}

/** At most so many cells of one network are drawn, and so many runs: more are narrow lines, and make a heavy page. */
const [drawnCells, drawnRuns] = [3000, 64];

/** The two tensors of a layer that have bits. */
const tensors = [
  {
    title: "Weights",
    name: "weight",
    bitsOf: resultBits,
  },
  { title: "Activations read", name: "activation", bitsOf: ({ inputBits }: LayerResult): TensorBits => inputBits },
] as const;

/** The bits of every layer in every run with a result, a picture for each network on its data; null where there is none. */
export function bitsSection(records: readonly RunRecord[], numberOf: NumberOf): Section | null {
  const networks = new Map<string, RunRecord[]>();
  for (const record of records) {
    if (record.result === null) continue;
    const layers = record.result.layers.map(({ name }) => name);
    const key = JSON.stringify([record.network.name, record.data.name, layers]);
    networks.set(key, [...(networks.get(key) ?? []), record]);
  }
  if (networks.size === 0) return null;
  const used = new Set(
    records.flatMap(({ result }) =>
      (result?.layers ?? []).flatMap((layer) => tensors.map(({ bitsOf }) => shadeOf(bitsOf(layer)))),
    ),
  );
  const bodies = Array.from(networks.values(), (own, index) =>
    networkBits(finishedRuns(own), { id: `bits-${index + 1}`, isAlone: networks.size === 1, numberOf }),
  );
  return {
    id: "bits",
    title: "Bits of every layer",
    body: markup`<p>Each row is a layer, each column a run, from the fewest bit operations to the most. A layer’s activation is the one that it reads.</p>
<ul class="key" aria-label="Colours of the bit-widths">${bitWidths.filter((bits) => used.has(bits)).map((bits) => markup`<li>${bitChip(bits)} ${bits === 0 ? "pruned" : bits === 32 ? "bits" : ""}</li>`)}</ul>
${bodies}`,
  };
}

/** In the order of their bit operations. */
const finishedRuns = (records: readonly RunRecord[]): readonly Finished[] =>
  groupRuns(records)
    .flatMap(({ label, runs }) =>
      runs.flatMap((record): Finished[] => {
        const { result, seed } = record;
        if (result === null) return [];
        const layers = new Map(result.layers.map((layer) => [layer.name, layer]));
        return [{ name: runs.length === 1 ? label : `${label}, seed ${seed}`, record, result, layers }];
      }),
    )
    .toSorted((one, other) => one.result.relativeBops - other.result.relativeBops);

function networkBits(
  runs: readonly Finished[],
  { id, isAlone, numberOf }: { readonly id: string; readonly isAlone: boolean; readonly numberOf: NumberOf },
): Markup {
  const { record, layers } = at(runs, 0);
  const names = [...layers.keys()];
  const most = Math.min(drawnRuns, Math.floor(drawnCells / (tensors.length * Math.max(1, names.length))));
  const drawn = thin(runs.length, Math.max(1, most)).map((index) => at(runs, index));
  const title = `Bits by layer and run${isAlone ? "" : `: ${shorten(`${record.network.name} on ${record.data.name}`, 60)}`}`;
  const panels = tensors.map(({ title, name, bitsOf }) => ({
    title,
    cells: names.flatMap((layer, row) =>
      drawn.map((run, column): HeatCell => {
        const result = lookup(run.layers, layer);
        return { row, column, bits: bitsOf(result), mark: markOf(run, result, { tensor: name, bits: bitsOf(result) }) };
      }),
    ),
  }));
  return markup`${heatMap({
    ...{ id, title, rows: names, panels },
    summary: `${title}: ${integer(names.length)} layers, ${integer(drawn.length)} runs. The table below has the values.`,
    columns: drawn.map(({ name, record }) => ({ name, figure: mainText(record), run: numberOf(record) })),
    ...(drawn.length < runs.length && {
      note: `${integer(drawn.length)} of ${integer(runs.length)} runs are drawn; the table has all.`,
    }),
  })}
<details><summary>The same as a table</summary>
${table<Finished>({
  id: `${id}-table`,
  caption: "Bits of each layer’s weight / of the activation that it reads",
  columns: [
    { title: "Run", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
    ...names.map((layer): Column<Finished> => {
      const text = ({ layers }: Finished) =>
        tensors.map(({ bitsOf }) => meanText(bitsOf(lookup(layers, layer)))).join(" / ");
      return { title: shorten(layer, 40), value: text };
    }),
  ],
  rows: runs,
  pinned: true,
  runsOf: ({ record }) => [numberOf(record)],
})}</details>`;
}

const mainText = ({ task, result }: RunRecord): string =>
  result === null ? "" : shown(mainMetric(task), mainValue(task, result.metrics));

function markOf(
  { name, record }: Finished,
  { name: layer, keptOutputs, outputs, share }: LayerResult,
  { tensor, bits }: { readonly tensor: string; readonly bits: TensorBits },
): Mark {
  return {
    title: `${shorten(layer, 40)} in ${shorten(name, 40)}`,
    lines: [
      [tensor, bitsText(bits)],
      ...(keptOutputs < outputs ? [["channels kept", `${integer(keptOutputs)} of ${integer(outputs)}`] as const] : []),
      ["of the bit operations", percent(share, 1)],
      [mainMetric(record.task).label, mainText(record)],
    ],
  };
}
