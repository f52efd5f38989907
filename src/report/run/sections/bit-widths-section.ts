import type { RunRecord } from "../../../runs/record.ts";
import { channelBitsTable } from "../../charts/channel-bits-table.ts";
import { bitChip, bitWidths } from "../../page/chips.ts";
import { type Markup, markup } from "../../page/markup.ts";
import type { Section } from "../../page/section.ts";
import { learnsGates } from "../learns-gates.ts";
import { networkFigure } from "../network/network-figure.ts";
import { learnedNow } from "../run-state.ts";
import { layerTable } from "./layer-table.ts";

/** What was learned or given: the bit-width of every tensor and the channels that are left. */
export function bitWidthSection(record: RunRecord): Section {
  return {
    id: "bit-widths",
    title: learnsGates(record) ? "Learned bit-widths" : "Bit-widths",
    body: markup`<p>Each line carries the bits of the activation that flows along it; each box has the bits of its weight and the output channels it keeps.</p>
${legend(record)}
${networkFigure(record)}
<p class="note">Below a layer stand the shapes of its weight and, for one image, of its output; below bits, the range, beyond which values are clipped (±: signed), and the signal-to-noise ratio where it was measured.</p>
${layerTable(record)}
${channelBitsTable((record.result?.layers ?? []).flatMap(({ name, channelBits: bits }) => (bits === undefined ? [] : [{ name, bits }])))}`,
  };
}

/** No method learns 3 bits: only a network that has them names them. */
function legend(record: RunRecord): Markup {
  const has3 = record.quantizers.some(({ id }) => learnedNow(record, id)?.bits === 3);
  return markup`<ul class="key" aria-label="Colours of the bit-widths">${bitWidths
    .filter((bits) => bits !== 3 || has3)
    .map((bits) => markup`<li>${bitChip(bits)} ${bits === 0 ? "pruned" : bits === 32 ? "bits" : ""}</li>`)}</ul>`;
}
