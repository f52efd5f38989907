import { mean } from "../../../core/mean.ts";
import type { ChannelGates } from "../../../runs/analysis.ts";
import type { RunRecord } from "../../../runs/record.ts";
import { heatStrip, stripData } from "../../charts/strip.ts";
import { keptBar } from "../../page/chips.ts";
import { integer, percent, share } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { table } from "../../page/table.ts";
import { weightsKept } from "../run-state.ts";
import { channelCourses } from "./channel-courses-section.ts";

/** A gate that is neither nearly always open nor nearly always closed could still go either way. */
const undecided = (probability: number): boolean => probability > 0.05 && probability < 0.95;

/** More cells than this are finer than a strip's pixels: neighbouring channels are then shown by their mean. */
const longStripCells = 512;

/** Which channels are left: gate by gate at the end, and how many over the epochs. Nothing where none can be pruned. */
export function channelMarkup(record: RunRecord): Markup | null {
  if (record.quantizers.every(({ channels }) => channels === null)) return null;
  const gates = record.analysis?.channels ?? [];
  return markup`<h3>Channels</h3>${gates.length > 0 && gateTable(gates, record)}${keptWhole(record)}<div class="figures">${channelCourses(record)}</div>`;
}

/** A line for each layer whose channels all stay, which says why. */
function keptWhole({ quantizers }: RunRecord): Markup | null {
  const whole = quantizers.filter(({ keepsAll }) => keepsAll !== undefined);
  if (whole.length === 0) return null;
  const lines = whole.map(({ layer, keepsAll = "" }) => markup`<li>${foreign(layer, 40)}: ${keepsAll}</li>`);
  return markup`<details><summary>${integer(whole.length)} layers keep all their channels</summary><ul>${lines}</ul></details>`;
}

const block = "channel-strips";

function gateTable(gates: readonly ChannelGates[], record: RunRecord): Markup {
  const layer = new Map(record.quantizers.map(({ id, layer }) => [id, layer]));
  const open = (probabilities: readonly number[]) => probabilities.filter(undecided).length;
  const left = weightsKept(record);
  const staysClosed = gates.some(({ quantizer, kept }) => (left.get(quantizer) ?? 0) > kept.length);
  return markup`${table<ChannelGates & { readonly row: number }>({
    id: "channel-table",
    caption: "Probability that each channel’s gate is open, at the end, sorted",
    columns: [
      {
        title: "Layer",
        value: ({ quantizer }) => layer.get(quantizer) ?? quantizer,
        show: ({ quantizer }) => foreign(layer.get(quantizer) ?? quantizer, 40),
      },
      {
        title: "Channels, from the most open gate to the most closed",
        kind: "picture",
        value: ({ probabilities, kept }) => share(kept.length, probabilities.length),
        show: ({ row, probabilities }) => heatStrip(sorted(probabilities), { block, row, key: "gate" }, { long: true }),
      },
      {
        title: "Gates open",
        kind: "number",
        value: ({ kept }) => kept.length,
        show: ({ kept, probabilities }) =>
          markup`${integer(kept.length)} of ${integer(probabilities.length)} ${keptBar(kept.length, probabilities.length)}`,
      },
      {
        title: "Share",
        kind: "number",
        value: ({ kept, probabilities }) => share(kept.length, probabilities.length),
        show: ({ kept, probabilities }) => percent(share(kept.length, probabilities.length), 1),
      },
      {
        title: "Undecided (5–95 %)",
        kind: "number",
        value: ({ probabilities }) => open(probabilities),
        show: ({ probabilities }) => integer(open(probabilities)),
      },
    ],
    rows: gates.map((one, row) => ({ ...one, row })),
  })}
${staysClosed && markup`<p class="note">A channel whose gate is closed stays, with weights of zero, where another is added to it, or where its group of a convolution would have fewer than the others: what is left of each layer is counted as export keeps it.</p>`}
${stripData(block, {
  category: "channel, by rank,",
  unit: { gate: "probability" },
  rows: gates.map(({ probabilities }) => ({ gate: sorted(probabilities) })),
})}`;
}

/** Highest first; of very many channels, means of neighbours. */
function sorted(probabilities: readonly number[]): readonly number[] {
  const all = probabilities.toSorted((one, other) => other - one);
  const together = Math.ceil(all.length / longStripCells);
  if (together === 1) return all;
  return Array.from({ length: Math.ceil(all.length / together) }, (_, cell) => {
    const part = all.slice(cell * together, (cell + 1) * together);
    return mean(part);
  });
}
