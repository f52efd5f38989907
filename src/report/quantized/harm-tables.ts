import { budgetWidths, type HarmTable } from "../../ptq/harm-table.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { integer, significant } from "../page/format.ts";
import { foreign, type Markup } from "../page/markup.ts";
import { type Column, table } from "../page/table.ts";
import { bitsChip } from "./bits-chip.ts";

type Plan = NonNullable<QuantizedRecord["plan"]>;

/** What has a choice of widths, and the one that it got. */
interface Chosen {
  readonly choices: readonly { readonly bits: number; readonly harm: number }[];
  /** null: an older record, or one without a plan. */
  readonly bits: number | null;
}

/** What each width of each weight harms. */
export function weightHarms({ table: { weights, measured }, plans }: Plan): Markup {
  const chosen = plans[0]?.bits ?? [];
  type Row = HarmTable["weights"][number] & Chosen;
  return table<Row>({
    id: "harm-table",
    caption:
      measured === "outputs" ? "Harm to the outputs, by width of each weight" : "Error of each weight, by its width",
    columns: [
      {
        title: "Layers",
        value: ({ layers }) => layers.join(" and "),
        show: ({ layers }) => foreign(layers.join(" and "), 160),
      },
      {
        title: "Numbers",
        kind: "number",
        value: (weight) => weight.numbers,
        show: (weight) => integer(weight.numbers),
      },
      ...harmColumns<Row>([...budgetWidths, ...widthsOf(weights.map(wholeChoices))]),
    ],
    rows: weights.map((weight, item) => ({ ...weight, bits: chosen[item] ?? null })),
  });
}

/** What each width of each activation harms. */
export function activationHarms({ table: { activations }, plans }: Plan): Markup {
  const chosen = plans[0]?.activations ?? [];
  type Row = HarmTable["activations"][number] & Chosen;
  return table<Row>({
    id: "activation-harm-table",
    caption: "Harm to the outputs, by width of each activation, everything else in float",
    columns: [
      { title: "Value", value: ({ name }) => name, show: ({ name }) => foreign(name, 160) },
      ...harmColumns<Row>(widthsOf(activations)),
    ],
    rows: activations.map((activation, item) => ({ ...activation, bits: chosen[item] ?? null })),
  });
}

/** Of rows of several widths there are too many, and they are told by these. */
const wholeChoices = ({ choices }: HarmTable["weights"][number]): Pick<Chosen, "choices"> => ({
  choices: choices.filter(({ channelBits }) => channelBits === undefined),
});

const widthsOf = (items: readonly Pick<Chosen, "choices">[]): readonly number[] =>
  items.flatMap(({ choices }) => choices.map(({ bits }) => bits));

/** The chosen width, and the harm of each. */
function harmColumns<Row extends Chosen>(widths: readonly number[]): readonly Column<Row>[] {
  const distinct = [...new Set(widths)].sort((one, other) => one - other);
  return [
    {
      title: "Chosen",
      kind: "picture",
      value: ({ bits }) => bits,
      show: ({ bits }) => (bits === null ? "–" : bitsChip(bits)),
    },
    ...distinct.map((width): Column<Row> => {
      const harmOf = ({ choices }: Row) => choices.find(({ bits }) => bits === width)?.harm ?? null;
      return {
        title: `Harm at ${width} bits`,
        kind: "number",
        value: harmOf,
        show: (row) => {
          const harm = harmOf(row);
          return harm === null ? "–" : significant(harm);
        },
      };
    }),
  ];
}
