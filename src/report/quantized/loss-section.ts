import { remedies } from "../../ptq/judge-outputs.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { fixed } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { table } from "../page/table.ts";
import { bitsChip } from "./bits-chip.ts";
import { commandOf } from "./command.ts";

type Loss = NonNullable<QuantizedRecord["loss"]>;
type Costly = Loss["layers"][number];

/** Which weights cost most, and what to do; null where every output is above its thresholds. */
export function lossSection(record: QuantizedRecord): Section | null {
  const { loss } = record;
  if (loss === null) return null;
  const { minSqnrDb, minAgreement, weightsDb, layers } = loss;
  return {
    id: "loss",
    title: "What costs most",
    body: markup`<p>Wanted of every output: ${minSqnrDb}\u202fdB, and the same class for ${minAgreement}\u202f% of the samples where it looks like logits. ${weightsDb !== null && `With weights alone quantized, outputs have ${fixed(weightsDb, 1)}\u202fdB.`}</p>
${layers.length === 0 ? nothing(record) : remedy(record, loss)}`,
  };
}

function nothing({ settings: { bits } }: QuantizedRecord): Markup {
  return markup`<p>No single weight costs it: ${remedies[bits.activations ?? 32]}.</p>`;
}

function remedy(record: QuantizedRecord, { layers, togetherDb }: Loss): Markup {
  const put = (back: 8 | 32) => layers.flatMap(({ layers: names, instead }) => (instead === back ? names : []));
  const changes = { layers: Object.fromEntries(put(8).map((name) => [name, 8])), skip: put(32) };
  return markup`${table<Costly>({
    id: "costly-layers",
    caption: "Weights that cost most, each put back alone, all others quantized",
    columns: [
      { title: "Layers", value: namesOf, show: (one) => foreign(namesOf(one), 160) },
      { title: "Bits", kind: "picture", value: ({ bits }) => bits, show: ({ bits }) => bitsChip(bits) },
      {
        title: "Put back to",
        kind: "picture",
        value: ({ instead }) => instead,
        show: ({ instead }) => bitsChip(instead),
      },
      { title: "Outputs gain", kind: "number", value: ({ gainDb }) => gainDb, show: ({ gainDb }) => gainText(gainDb) },
    ],
    rows: layers,
  })}
<p>All of these put back gain ${gainText(togetherDb)}:</p>
<pre class="command"><code>${commandOf(record, changes)}</code></pre>`;
}

const namesOf = ({ layers }: Costly): string => layers.join(" and ");

const gainText = (db: number | null): string =>
  db === null ? "all: not one number differs" : `${fixed(db, 1)}\u202fdB`;
