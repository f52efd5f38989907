import { mean } from "../../core/mean.ts";
import { type BitWidth, bitChip, bitWidths } from "../page/chips.ts";
import { integer, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { table } from "../page/table.ts";
import { bitStrip, stripData } from "./strip.ts";
import { thin } from "./thin.ts";

type ChannelBits = readonly BitWidth[];

/** A layer whose output channels have widths of their own. */
interface MixedLayer {
  readonly name: string;
  /** Of each output channel. */
  readonly bits: ChannelBits;
}

interface Row extends MixedLayer {
  readonly row: number;
}

/** Channels whose bits are drawn: tables that are looked up have tens of thousands of rows. */
const DRAWN = 1024;

const block = "channel-bits-strips";

/** The bits of each output channel, in order and sorted. Nothing where layers have one bit-width each. */
export function channelBitsTable(layers: readonly MixedLayer[]): Markup | null {
  const rows = layers.map((layer, row): Row => ({ ...layer, row }));
  if (rows.length === 0) return null;
  const isLong = rows.some(({ bits }) => bits.length > DRAWN);
  return markup`<h3>Bits of the output channels</h3>${table<Row>({
    id: "channel-bits",
    caption: "Bits of each output channel’s weights; pruned ones count as 0 in the mean",
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      {
        title: "Channels, in order",
        kind: "picture",
        value: ({ bits }) => mean(bits),
        show: ({ bits, row }) => bitStrip(drawn(bits), { block, row, key: "order" }, { long: true }),
      },
      {
        title: "Sorted",
        kind: "picture",
        value: ({ bits }) => mean(bits),
        show: ({ bits, row }) => bitStrip(drawn(sorted(bits)), { block, row, key: "sorted" }),
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
    category: isLong ? "channel drawn" : "channel",
    unit: { order: "bits", sorted: "bits" },
    rows: rows.map(({ bits }) => ({ order: drawn(bits), sorted: drawn(sorted(bits)) })),
  })}${isLong && markup`<p class="note">Of more than ${integer(DRAWN)} channels as many are drawn, evenly spaced; means and counts are of all.</p>`}`;
}

const drawn = (bits: ChannelBits): ChannelBits => thin(bits.length, DRAWN).flatMap((index) => bits[index] ?? []);

const sorted = (bits: ChannelBits): ChannelBits => bits.toSorted((one, other) => other - one);

const count = (bits: ChannelBits, width: number): number => bits.filter((own) => own === width).length;
