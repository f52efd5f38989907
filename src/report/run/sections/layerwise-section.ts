import type { PostTraining, RunRecord } from "../../../runs/record.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bitChip } from "../../page/chips.ts";
import { duration, integer, percent, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { differenceText, shown } from "../../page/metrics.ts";
import { facts, later, type Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";

/** What quantizing layer by layer came to; null for methods that train. */
export function layerwiseSection(record: RunRecord): Section | null {
  const { postTraining } = record;
  if (!postTraining) return null;
  return {
    id: "layerwise",
    title: "Layer by layer",
    body:
      postTraining.layers.length === 0
        ? later("No layer is quantized yet.")
        : markup`${introduction(record, postTraining)}${layerTable(record, postTraining)}${containerNote(postTraining)}`,
  };
}

function introduction({ result, task }: RunRecord, { images, floatMetrics, layers }: PostTraining): Markup {
  const metric = mainMetric(task);
  const float = mainValue(task, floatMetrics);
  const lost =
    result === null ? "" : ` (${differenceText(metric, mainValue(task, result.metrics) - float)} by quantization)`;
  return markup`<p>Each layer in turn was given codes that keep its outputs close to those of the float32 network, behind the layers before it. The error is the mean, over places of the calibration images, of the squared differences summed over the outputs, as the method measures it: with the ReLU behind a layer for nearest rounding and AdaRound, without for Bit-Split, whose nearest codes are those on its least-squares step.</p>
${facts([
  [`Float32, ${metric.label}`, `${shown(metric, float)}${lost}`],
  ["Calibration images", `${integer(images)}, unlabeled`],
  ["Layers", integer(layers.length)],
])}`;
}

type Layer = PostTraining["layers"][number];

function layerTable({ times }: RunRecord, { layers }: PostTraining): Markup {
  const seconds = (layer: Layer) => times.layerSeconds?.[layers.indexOf(layer)] ?? null;
  const hasSettled = layers.some(({ settled }) => settled !== null);
  return table<Layer>({
    id: "layer-errors",
    caption: "What each layer has come to",
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name) },
      {
        title: "Weight bits",
        kind: "picture",
        value: ({ bits, meanBits }) => meanBits ?? bits,
        show: ({ bits, meanBits }) => bitChip(bits, meanBits?.toFixed(1)),
      },
      {
        title: "Nearest error",
        kind: "number",
        value: ({ nearestError }) => nearestError,
        show: ({ nearestError }) => significant(nearestError),
      },
      { title: "Final error", kind: "number", value: ({ error }) => error, show: ({ error }) => significant(error) },
      {
        title: "Final of nearest",
        kind: "number",
        value: ({ error, nearestError }) => (nearestError === 0 ? null : (100 * error) / nearestError),
        show: ({ error, nearestError }) => (nearestError === 0 ? "–" : percent((100 * error) / nearestError, 1)),
      },
      {
        title: "Flipped",
        kind: "number",
        value: ({ flipped }) => 100 * flipped,
        show: ({ flipped }) => percent(100 * flipped, 1),
      },
      ...(hasSettled
        ? [
            {
              title: "Settled",
              kind: "number" as const,
              value: ({ settled }: Layer) => settled && 100 * settled,
              show: ({ settled }: Layer) => (settled === null ? "–" : percent(100 * settled, 1)),
            },
          ]
        : []),
      {
        title: "Steps or passes",
        kind: "number",
        value: ({ iterations }) => iterations,
        show: ({ iterations }) => integer(iterations),
      },
      {
        title: "Time",
        kind: "number",
        value: seconds,
        show: (layer) => {
          const taken = seconds(layer);
          return taken === null ? "–" : duration(taken);
        },
      },
    ],
    rows: layers,
    hidesUniform: true,
  });
}

const containerNote = ({ layers }: PostTraining): Markup | null =>
  layers.some(({ bits }) => bits === 3)
    ? markup`<p class="note">Codes of 3 bits (−3 to 3) are stored in 4 bits: bit operations count 3, bytes count 4.</p>`
    : null;
