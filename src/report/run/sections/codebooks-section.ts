import { last } from "../../../core/elements.ts";
import { median } from "../../../core/median.ts";
import type { CodebooksRecord } from "../../../runs/codebooks-schema.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { lineFigure } from "../../charts/line-figure.ts";
import { bytes, duration, times as factor, fixed, integer, percent, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { differenceText, shown } from "../../page/metrics.ts";
import { facts, later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";

/** What making weights codes into codebooks came to; null for other methods. */
export function codebooksSection(record: RunRecord): Section | null {
  const { codebooks } = record;
  if (!codebooks) return null;
  return {
    id: "codebooks",
    title: "Codebooks",
    body:
      codebooks.layers.length === 0
        ? later("No layer has a codebook yet.")
        : markup`${introduction(record, codebooks)}<div class="figures">${lostFigure(codebooks)}</div>${layerTable(record, codebooks)}`,
  };
}

function introduction(
  { result, task, config }: RunRecord,
  { images, floatMetrics, metrics, layers }: CodebooksRecord,
): Markup {
  const metric = mainMetric(task);
  const float = mainValue(task, floatMetrics);
  const against = (value: number) =>
    `${shown(metric, value)} (${differenceText(metric, value - float)} against float32)`;
  const [now, epochs] = [metrics && mainValue(task, metrics), config.training.epochs];
  const { method } = config;
  const isWeighed = method.name === "product-quantization" && method.activations;
  return markup`<p>Each weight is cut into blocks of neighbouring inputs, and a block is a code into its layer’s codebook. ${
    isWeighed
      ? "Blocks v were compared with centroids c by what they do to the inputs A that the layer sees behind the layers before it; what is lost is Σ‖A(v − c)‖² as a share of Σ‖A v‖²."
      : "Blocks v were compared with centroids c by themselves (plain k-means); what is lost is Σ‖v − c‖² as a share of Σ‖v‖²."
  } The codes make the file small: runtimes compute the whole weight when they load it, so memory and speed are those of float32.</p>
${facts([
  [`Float32, ${metric.label}`, shown(metric, float)],
  ...(now === null ? [] : [[`Behind the last layer, ${metric.label}`, against(now)] as const]),
  ...(result === null || epochs === 0
    ? []
    : [[`All codebooks trained, ${metric.label}`, against(mainValue(task, result.metrics))] as const]),
  ["Calibration images", images > 0 ? `${integer(images)}, unlabeled` : "none"],
  ["Layers", integer(layers.length)],
  ...(result === null ? [] : sizes(result)),
])}`;
}

/** Bytes of codes, codebooks and all that stayed float32. */
function sizes({ layers, bytes: { packed, fp32 } }: RunResult): readonly (readonly [string, string])[] {
  const sum = (of: (codebook: NonNullable<RunResult["layers"][number]["codebook"]>) => number) =>
    layers.reduce((total, { codebook }) => total + (codebook ? of(codebook) : 0), 0);
  const [index, entries] = [sum(({ indexBytes }) => indexBytes), sum(({ codebookBytes }) => codebookBytes)];
  const counted = Math.ceil(sum(({ countedIndexBytes }) => countedIndexBytes));
  return [
    ["Codes", `${bytes(index)} in the file; ${bytes(counted)} at log₂ of the centroids, as the authors count`],
    ["Centroids, float16", bytes(entries)],
    ["The rest, float32", bytes(packed - index - entries)],
    ["Together", `${bytes(packed)}, ${factor(fp32 / packed)} smaller than float32`],
  ];
}

/** The share that is lost, iteration by iteration: layers that have come to an end stay where they are. */
function lostFigure({ layers }: CodebooksRecord): Markup {
  const longest = Math.max(...layers.map(({ objective }) => objective.length));
  const at = (iteration: number) => layers.map(({ objective }) => 100 * (objective[iteration] ?? last(objective)));
  const by = (of: (values: readonly number[]) => number) =>
    Array.from({ length: longest }, (_, iteration) => of(at(iteration)));
  return lineFigure({
    id: "lost",
    title: "Lost of the layers’ blocks",
    unit: "%",
    category: "iteration",
    categories: Array.from({ length: longest }, (_, iteration) => String(iteration + 1)),
    series: [
      { name: "most of any layer", values: by((values) => Math.max(...values)) },
      { name: "median", values: by((values) => median([...values])) },
      { name: "least", values: by((values) => Math.min(...values)) },
    ],
  });
}

type Layer = CodebooksRecord["layers"][number];

function layerTable({ times, result }: RunRecord, { layers }: CodebooksRecord): Markup {
  const seconds = (layer: Layer) => times.layerSeconds?.[layers.indexOf(layer)] ?? null;
  const sizeOf = ({ name }: Layer) => result?.layers.find((one) => one.name === name)?.codebook ?? null;
  const number = (
    title: string,
    value: (layer: Layer) => number | null,
    show: (value: number) => string,
  ): Column<Layer> => ({
    title,
    kind: "number",
    value,
    show: (layer) => {
      const own = value(layer);
      return own === null ? "–" : show(own);
    },
  });
  return table<Layer>({
    id: "codebook-layers",
    caption: "The codebook of each layer",
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name) },
      number("Block", ({ blockSize }) => blockSize, integer),
      number("Centroids", ({ centroids }) => centroids, integer),
      number("Bits a weight", (layer) => sizeOf(layer)?.bitsPerWeight ?? null, fixed),
      number("Codes", (layer) => sizeOf(layer)?.indexBytes ?? null, bytes),
      number("Codebook", (layer) => sizeOf(layer)?.codebookBytes ?? null, bytes),
      number(
        "Lost",
        ({ objective }) => 100 * last(objective),
        (value) => percent(value, 2),
      ),
      number("Iterations", ({ objective }) => objective.length, integer),
      number("Splits", ({ splits }) => splits, integer),
      number("Blocks of a cluster, fewest", ({ occupancy }) => occupancy[0] ?? null, integer),
      number("median", ({ occupancy }) => median([...occupancy]), integer),
      number("most", ({ occupancy }) => last(occupancy), integer),
      number("Divergence before", ({ finetuned }) => finetuned?.lossBefore ?? null, significant),
      number("after", ({ finetuned }) => finetuned?.lossAfter ?? null, significant),
      number("Time", seconds, duration),
      { title: "Note", value: ({ notes }) => notes.join("; "), show: ({ notes }) => foreign(notes.join("; "), 200) },
    ],
    rows: layers,
    hidesUniform: true,
  });
}
