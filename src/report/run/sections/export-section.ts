import type { ExportForm } from "../../../config/sections/export-settings.ts";
import { deliveredExport } from "../../../runs/exports.ts";
import type { ExportRecord, RunRecord, Verification } from "../../../runs/record.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bytes, integer, significant, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { capital, differenceText, shown } from "../../page/metrics.ts";
import { facts, later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";

/** The file that ships, what a real runtime makes of it, and the files of other forms. */
export function exportSection(record: RunRecord): Section {
  const { exports, task } = record;
  const shipped = deliveredExport(record) ?? exports[0];
  return {
    id: "export",
    title: "Exported network",
    body: shipped
      ? markup`${exported(shipped, task)}\n${exports.length > 1 && formTable(exports)}`
      : later("No network has been exported from this run yet."),
  };
}

/** What runs a file of each form, by the tests of this program. */
const runtimes: Readonly<Record<ExportForm, string>> = {
  compact: "onnxruntime: Node, Web, Python",
  packed: "onnxruntime: Node, Web, Python",
  int8: "onnxruntime: Node, Web, Python",
  nbits: "onnxruntime: Node, Web, Python",
  fp32: "onnxruntime: Node, Web, Python",
  qonnx: "qonnx",
  tflite: "LiteRT: Python",
  "c-array": "LiteRT: Python, as bytes",
};

const formTable = (exports: readonly ExportRecord[]): Markup => markup`<h3>All files</h3>
${table<ExportRecord>({
  id: "forms",
  caption: "Forms that were written of this network",
  columns: [
    { title: "Form", value: ({ form }) => form },
    { title: "File", value: ({ file }) => file, show: ({ file }) => foreign(file, 60) },
    { title: "Bytes", kind: "number", value: ({ bytes }) => bytes, show: ({ bytes }) => integer(bytes) },
    ...[...new Set(exports.flatMap(latenciesOf).map(({ batch }) => batch))].map(latencyColumn),
    {
      title: "Layers in integer kernels",
      kind: "number",
      value: ({ verification }) => verification?.kernels?.integer ?? null,
      show: ({ verification }) => kernelsText(verification?.kernels),
    },
    {
      title: "Runs in",
      value: ({ form, verification }) => (verification === null ? `${runtimes[form]} (not verified)` : runtimes[form]),
    },
  ],
  rows: exports,
})}
<p class="note">In brackets: the unpruned network in float32, run in turn with the file.</p>`;

const latenciesOf = ({ verification }: ExportRecord): readonly Latency[] => verification?.latency ?? [];

function latencyColumn(batch: number): Column<ExportRecord> {
  const of = (exported: ExportRecord) => latenciesOf(exported).find((latency) => latency.batch === batch);
  return {
    title: `Batch of ${integer(batch)}`,
    kind: "number",
    value: (exported) => of(exported)?.medianMs ?? null,
    show: (exported) => {
      const latency = of(exported);
      return latency === undefined
        ? "–"
        : `${significant(latency.medianMs)}\u202fms (${significant(latency.fp32MedianMs)})`;
    },
  };
}

const kernelsText = (kernels: Verification["kernels"]): string =>
  kernels === undefined ? "–" : `${kernels.integer} of ${kernels.integer + kernels.float.length}`;

function exported(
  { file, form, opset, bytes: size, sha256, notes = [], verification }: ExportRecord,
  task: RunRecord["task"],
): Markup {
  return markup`${facts([
    ["File", foreign(file, 120)],
    ["Form", opset === undefined ? `TensorFlow Lite, ${form}` : `ONNX, ${form}, opset ${opset}`],
    ["Size", `${bytes(size)} (${integer(size)} bytes)`],
    ["SHA-256", markup`<code>${sha256}</code>`],
    ...notes.map((note) => ["Note", foreign(note, 200)] as const),
  ])}
<p class="note">This file is what ships. Checkpoints are not deployable: they hold float32 weights and the state of training.</p>
${verification ? verified(verification, task) : later("The file has not been verified in a runtime.")}`;
}

function verified(
  { runtime, images, metrics, trainerMetrics, agreement, kernels, layers, latency }: Verification,
  task: RunRecord["task"],
): Markup {
  const metric = mainMetric(task);
  const [file, trainer] = [mainValue(task, metrics), mainValue(task, trainerMetrics)];
  return markup`<h3>Verification in ${foreign(runtime)}</h3>
${facts([
  ["Images", integer(images)],
  [`${capital(metric.label)} of the file`, shown(metric, file)],
  [
    `${capital(metric.label)} of the trainer`,
    markup`${shown(metric, trainer)} (file ${differenceText(metric, file - trainer)})`,
  ],
  ...agreement.map(({ label, value, ...appearance }) => [capital(label), shown(appearance, value)] as const),
  ...(kernels ? [["Layers in integer kernels", kernelsText(kernels)] as const] : []),
])}
${table<Verification["layers"][number]>({
  id: "verification",
  caption: "Codes of the file against the trainer’s, on the runtime’s own inputs",
  columns: [
    { title: "Tensor", value: ({ name }) => name, show: ({ name }) => foreign(name) },
    { title: "Elements", kind: "number", value: ({ elements }) => elements, show: ({ elements }) => integer(elements) },
    {
      title: "Equal codes",
      kind: "number",
      value: ({ equalCodes }) => equalCodes,
      show: ({ equalCodes }) => `${significant(equalCodes, 7)}\u202f%`,
    },
    { title: "Largest difference, in codes", kind: "number", value: ({ largestDifference }) => largestDifference },
  ],
  rows: layers,
})}
${latency && latency.length > 0 && latencyTable(latency)}`;
}

type Latency = NonNullable<Verification["latency"]>[number];

const latencyTable = (latency: readonly Latency[]): Markup => markup`<h3>Latency</h3>
<p>Bit operations are not latency: a runtime gains only where it has kernels for the bit-widths. Measured in this runtime with the threads of the run, on the machine that verified the file.</p>
${table<Latency>({
  id: "latency",
  caption: "Median time of one batch",
  columns: [
    { title: "Batch", kind: "number", value: ({ batch }) => batch },
    ...(latency.some(({ threads }) => threads !== undefined) ? [threadColumn] : []),
    milliseconds("This file", ({ medianMs }) => medianMs),
    milliseconds("FP32, unpruned", ({ fp32MedianMs }) => fp32MedianMs),
    {
      title: "FP32 time / this file’s",
      kind: "number",
      value: ({ medianMs, fp32MedianMs }) => (medianMs === 0 ? null : fp32MedianMs / medianMs),
      show: ({ medianMs, fp32MedianMs }) => (medianMs === 0 ? "–" : times(fp32MedianMs / medianMs)),
    },
  ],
  rows: latency,
})}`;

const threadColumn: Column<Latency> = {
  title: "Threads",
  kind: "number",
  value: ({ threads }) => threads ?? null,
  show: ({ threads }) => (threads === undefined ? "–" : integer(threads)),
};

const milliseconds = <Row>(title: string, value: (row: Row) => number): Column<Row> => ({
  title,
  kind: "number",
  value,
  show: (row) => `${significant(value(row))}\u202fms`,
});
