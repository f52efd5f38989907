import type { RunRecord } from "../../../runs/record.ts";
import { type BitWidth, bitChip, bitWidths } from "../../page/chips.ts";
import { integer, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import type { Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";
import { networkFigure } from "../network/network-figure.ts";
import { bitsNow, learnedNow, weightsKept } from "../run-state.ts";

/** What was learned or given: the bit-width of every tensor and the channels that are left. */
export function bitWidthSection(record: RunRecord): Section {
  return {
    id: "bit-widths",
    title: learnsGates(record) ? "Learned bit-widths" : "Bit-widths",
    body: markup`<p>Each line carries the bits of the activation that flows along it; each box has the bits of its weight and the output channels it keeps.</p>
${legend(record)}
${networkFigure(record)}
${record.quantizers.length > 0 && tensorTable(record)}`,
  };
}

/** No method learns 3 bits: only a network that has them names them. */
function legend(record: RunRecord): Markup {
  const has3 = record.quantizers.some(({ id }) => learnedNow(record, id)?.bits === 3);
  return markup`<ul class="key" aria-label="Colours of the bit-widths">${bitWidths
    .filter((bits) => bits !== 3 || has3)
    .map((bits) => markup`<li>${bitChip(bits)} ${bits === 0 ? "pruned" : bits === 32 ? "bits" : ""}</li>`)}</ul>`;
}

const chipOrDash = (bits: BitWidth | null): Markup =>
  bits === null
    ? markup`<span class="unknown"><span aria-hidden="true">–</span><span class="hidden">not known yet</span></span>`
    : bitChip(bits);

type Quantizer = RunRecord["quantizers"][number];

function tensorTable(record: RunRecord): Markup {
  const now = (id: string) => learnedNow(record, id);
  const kept = weightsKept(record);
  return table<Quantizer>({
    id: "tensors",
    caption: "Bit-width of every quantized tensor",
    columns: [
      { title: "Quantizer", value: ({ id }) => id, show: ({ id }) => foreign(id) },
      { title: "Tensor", value: ({ role, layer }) => `${role} of ${layer}`, show: tensorName },
      {
        title: "Bits",
        kind: "picture",
        value: ({ id }) => bitsNow(record, id),
        show: ({ id }) => chipOrDash(bitsNow(record, id)),
      },
      { title: "Grid", value: ({ signed }) => (signed ? "signed" : "unsigned") },
      {
        title: "Range",
        kind: "number",
        value: ({ id }) => now(id)?.xMax ?? null,
        show: ({ id, signed }) => rangeOf(now(id)?.xMax, signed),
      },
      {
        title: "Elements",
        kind: "number",
        value: ({ elements }) => elements,
        show: ({ elements }) => integer(elements),
      },
      {
        title: "Channels kept",
        kind: "number",
        value: ({ id, channels }) => (channels === null ? null : (kept.get(id) ?? null)),
        show: ({ id, channels }) => keptText(kept.get(id) ?? null, channels),
      },
    ],
    rows: record.quantizers,
    hidesUniform: true,
  });
}

const tensorName = ({ role, layer }: Quantizer): Markup =>
  markup`${role === "weight" ? "weight of" : "output of"} ${foreign(layer, 40)}`;

const rangeOf = (xMax: number | undefined, signed: boolean): string =>
  xMax === undefined ? "–" : signed ? `±${significant(xMax)}` : `0 … ${significant(xMax)}`;

const keptText = (kept: number | null, channels: number | null): string =>
  channels === null ? "–" : `${kept === null ? "–" : integer(kept)} of ${integer(channels)}`;
