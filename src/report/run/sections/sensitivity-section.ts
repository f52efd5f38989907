import type { RunRecord } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import { digitsText, type Metric, mainMetric, mainValue, signedText } from "../../../tasks/metric.ts";
import { bitChip } from "../../page/chips.ts";
import { bytes, integer, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { capital, differenceText, shown } from "../../page/metrics.ts";
import type { Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { meanOf, tensorChip, widestOf } from "../../page/tensor-bits.ts";
import {
  type Advised,
  type Alternative,
  certainErrors,
  certainGains,
  freeSavings,
  type SensitiveTensor,
  sensitiveTensors,
} from "./sensitive-tensors.ts";
import { sensitivityFigure } from "./sensitivity-figure.ts";

/** How much each tensor's bits matter; null where it was not measured. */
export function sensitivitySection(record: RunRecord): Section | null {
  const { analysis, result, task } = record;
  const sensitivity = analysis?.sensitivity;
  if (!sensitivity || result === null) return null;
  const metric = mainMetric(task);
  const tensors = sensitiveTensors(record, { sensitivity, result });
  const images =
    sensitivity.from === "validation"
      ? "held out of training"
      : "that were trained on, because none are held out (data.validationShare): on new ones it differs more";
  return {
    id: "sensitivity",
    title: "What other bits would give",
    body: markup`${advice(tensors, metric, samplesOf(record.data))}
<p class="note">${capital(metric.label)} of ${integer(sensitivity.images)} ${samplesOf(record.data)} ${images}: ${shown(metric, mainValue(task, sensitivity.metrics))} as it is; and with one tensor alone at another width, its range as learned. Training at that width would do better.</p>
${sensitivityFigure(tensors, metric)}
${tensorTable(tensors, metric)}`,
  };
}

/** Sentences say at most so many tensors. */
const said = 3;

function advice(tensors: readonly SensitiveTensor[], metric: Metric, samples: string): Markup {
  const gains = certainGains(tensors).slice(0, said);
  const savings = freeSavings(tensors).slice(0, said);
  const isRaised = tensors.some(({ bits, alternatives }) =>
    alternatives.some((one) => bits !== null && one.bits > meanOf(bits)),
  );
  const change = (one: Advised) => `${differenceText(metric, one.difference)}${errorText(metric, one.error)}`;
  return markup`<ul>${gains.map((one) => markup`<li>Give the ${foreign(one.name, 60)} ${one.bits} bits: ${change(one)} for ${costText(one)}.</li>`)}${gains.length === 0 && isRaised && markup`<li>More bits for one tensor give nothing that these ${samples} can tell: ${certainErrors} standard errors.</li>`}${savings.map((one) => markup`<li>With ${one.bits} bits the ${foreign(one.name, 60)} would save ${costText(one)}: ${change(one)}.</li>`)}</ul>`;
}

const errorText = (metric: Metric, error: number | null): string =>
  error === null ? "" : ` (± ${digitsText(metric, error)})`;

/** Bytes of weights, and bit operations. */
function costText({ bytes: size, relativeBops }: Alternative): string {
  const operations = `${significant(Math.abs(relativeBops))}\u202f% of float32’s bit operations`;
  return size === 0 ? operations : `${bytes(Math.abs(size))} and ${operations}`;
}

function tensorTable(tensors: readonly SensitiveTensor[], metric: Metric): Markup {
  const at8 = ({ alternatives }: SensitiveTensor) => alternatives.find(({ bits }) => bits === 8) ?? null;
  const lower = ({ bits, alternatives }: SensitiveTensor) =>
    alternatives.filter((one) => bits !== null && one.bits < widestOf(bits)).at(-1) ?? null;
  const unit = metric.unit === "%" ? ", points" : metric.unit === "" ? "" : `, ${metric.unit}`;
  return table<SensitiveTensor>({
    id: "sensitivity-table",
    caption: `${capital(metric.label)} and cost with one tensor at another width, beside what they are`,
    pinned: true,
    columns: [
      { title: "Tensor", value: ({ name }) => name, show: ({ name }) => foreign(name, 60) },
      {
        title: "Bits",
        kind: "picture",
        value: ({ bits }) => bits && meanOf(bits),
        show: ({ bits }) => (bits === null ? "–" : tensorChip(bits)),
      },
      {
        title: "Signal-to-noise, dB",
        kind: "number",
        value: ({ signalToNoise }) => signalToNoise,
        show: ({ signalToNoise }) => (signalToNoise === null ? "–" : signalToNoise.toFixed(1)),
      },
      differenceColumn(`At 8 bits${unit}`, metric, at8),
      costColumn("its bytes", at8),
      {
        title: "Next lower",
        kind: "picture",
        value: (tensor) => lower(tensor)?.bits ?? null,
        show: (tensor) => {
          const alternative = lower(tensor);
          return alternative === null ? "–" : bitChip(alternative.bits);
        },
      },
      differenceColumn(`At that${unit}`, metric, lower),
      costColumn("its bytes", lower),
    ],
    rows: tensors,
  });
}

type Of = (tensor: SensitiveTensor) => Alternative | null;

const differenceColumn = (title: string, metric: Metric, of: Of): Column<SensitiveTensor> => ({
  title,
  kind: "number",
  value: (tensor) => of(tensor)?.difference ?? null,
  show: (tensor) => {
    const alternative = of(tensor);
    return alternative === null
      ? "–"
      : `${signedText(metric, alternative.difference)}${errorText(metric, alternative.error)}`;
  },
});

const costColumn = (title: string, of: Of): Column<SensitiveTensor> => ({
  title,
  kind: "number",
  value: (tensor) => of(tensor)?.bytes ?? null,
  show: (tensor) => {
    const alternative = of(tensor);
    if (alternative === null) return "–";
    const { bytes: size } = alternative;
    return size === 0 ? "±0" : `${size < 0 ? "−" : "+"}${bytes(Math.abs(size))}`;
  },
});
