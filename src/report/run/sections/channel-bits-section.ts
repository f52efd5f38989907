import { mean } from "../../../core/mean.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { bitStrip, stripData } from "../../charts/strip.ts";
import { bitChip, bitWidths } from "../../page/chips.ts";
import { integer, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { table } from "../../page/table.ts";

type LayerResult = RunResult["layers"][number];
type ChannelBits = NonNullable<LayerResult["channelBits"]>;

interface Row extends Pick<LayerResult, "name" | "outputs"> {
  readonly bits: ChannelBits;
  readonly row: number;
}

const block = "channel-bits-strips";

/** The bits of each output channel, in order and sorted. Nothing where layers have one bit-width each. */
export function channelBitsMarkup({ result }: RunRecord): Markup | null {
  const rows = (result?.layers ?? [])
    .flatMap(({ name, outputs, channelBits: bits }) => (bits === undefined ? [] : [{ name, outputs, bits }]))
    .map((row, index): Row => ({ ...row, row: index }));
  if (rows.length === 0) return null;
  return markup`<h3>Bits of the output channels</h3>${table<Row>({
    id: "channel-bits",
    caption: "Bits of each output channel’s weights; pruned ones count as 0 in the mean",
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      {
        title: "Channels, in order",
        kind: "picture",
        value: ({ bits }) => mean(bits),
        show: ({ bits, row }) => bitStrip(bits, { block, row, key: "order" }, { long: true }),
      },
      {
        title: "Sorted",
        kind: "picture",
        value: ({ bits }) => mean(bits),
        show: ({ bits, row }) => bitStrip(sorted(bits), { block, row, key: "sorted" }),
      },
      {
        title: "Mean",
        kind: "number",
        value: ({ bits }) => mean(bits),
        show: ({ bits }) => significant(mean(bits), 3),
      },
      ...bitWidths
        .filter((width) => rows.some(({ bits }) => bits.some((own) => own === width)))
        .map((width) => ({
          title: width === 0 ? "Pruned" : `${width} bits`,
          kind: "number" as const,
          value: ({ bits }: Row) => count(bits, width),
          show: ({ bits }: Row) => markup`${bitChip(width)} ${integer(count(bits, width))}`,
        })),
    ],
    rows,
  })}${stripData(block, {
    category: "channel",
    unit: { order: "bits", sorted: "bits" },
    rows: rows.map(({ bits }) => ({ order: bits, sorted: sorted(bits) })),
  })}`;
}

const sorted = (bits: ChannelBits): ChannelBits => bits.toSorted((one, other) => other - one);

const count = (bits: ChannelBits, width: number): number => bits.filter((own) => own === width).length;
