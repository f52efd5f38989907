import type { ExportForm } from "../../../config/sections/export-settings.ts";
import { deliveredExport } from "../../../runs/exports.ts";
import type { ExportRecord, RunRecord, Verification } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bytes, integer, significant, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { capital, differenceText, shown } from "../../page/metrics.ts";
import { facts, later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { type Recommendation, recommendedExport, type Speed, speedText } from "../recommended-export.ts";

/** Which file to ship, all that were written, and what a real runtime makes of the one that was delivered. */
export function exportSection(record: RunRecord): Section {
  const { exports } = record;
  const shipped = deliveredExport(record) ?? exports[0];
  const recommended = recommendedExport(record);
  return {
    id: "export",
    title: "Exported network",
    body:
      shipped && recommended
        ? markup`${recommendation(recommended)}\n${exports.length > 1 ? formTable(record, recommended) : otherForms}\n${exported(shipped, record)}`
        : later("No network has been exported from this run yet."),
  };
}

const recommendation = ({ exported: { file, form }, reason }: Recommendation): Markup =>
  markup`<p class="recommended"><strong>Ship ${foreign(file, 60)}</strong> (${form}). It ${foreign(reason, 240)}.</p>`;

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

const otherForms = markup`<p class="note">Other forms of the same network may be smaller or faster: <code>bayesian-bits export RUN --form int8</code> writes one, and this page compares them.</p>`;

const formTable = (
  { exports, result }: RunRecord,
  { exported: best }: Recommendation,
): Markup => markup`${table<ExportRecord>({
  id: "forms",
  caption: "Forms that were written of this network",
  columns: [
    {
      title: "Form",
      value: ({ form }) => form,
      show: (exported) => (exported === best ? markup`<strong>${exported.form}</strong>, recommended` : exported.form),
    },
    { title: "File", value: ({ file }) => file, show: ({ file }) => foreign(file, 60) },
    { title: "Bytes", kind: "number", value: ({ bytes }) => bytes, show: ({ bytes }) => integer(bytes) },
    ...(result === null ? [] : [sizeColumn(result.bytes.fp32)]),
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
<p class="note">Times are held against the unpruned network in float32, run in turn with the file. Bit operations are not latency: a runtime gains only where it has kernels for the bit-widths.</p>`;

const sizeColumn = (float: number): Column<ExportRecord> => ({
  title: "Parameters in float32 / file",
  kind: "number",
  value: ({ bytes }) => float / bytes,
  show: ({ bytes }) => times(float / bytes),
});

const latenciesOf = ({ verification }: ExportRecord): readonly Speed[] => verification?.latency ?? [];

function latencyColumn(batch: number): Column<ExportRecord> {
  const of = (exported: ExportRecord) => latenciesOf(exported).find((latency) => latency.batch === batch);
  return {
    title: `Batch of ${integer(batch)}`,
    kind: "number",
    value: (exported) => of(exported)?.medianMs ?? null,
    show: (exported) => {
      const speed = of(exported);
      return speed === undefined ? "–" : `${significant(speed.medianMs)}\u202fms, ${speedText(speed)}`;
    },
  };
}

const kernelsText = (kernels: Verification["kernels"]): string =>
  kernels === undefined ? "–" : `${kernels.integer} of ${kernels.integer + kernels.float.length}`;

function exported(
  { file, form, opset, bytes: size, sha256, notes = [], verification }: ExportRecord,
  record: RunRecord,
): Markup {
  return markup`<h3>The file of the run’s own form</h3>
${facts([
  ["File", foreign(file, 120)],
  ["Form", opset === undefined ? `TensorFlow Lite, ${form}` : `ONNX, ${form}, opset ${opset}`],
  ["Size", `${bytes(size)} (${integer(size)} bytes)`],
  ["SHA-256", markup`<code>${sha256}</code>`],
  ...notes.map((note) => ["Note", foreign(note, 200)] as const),
])}
<p class="note">Such files are what ships. Checkpoints are not deployable: they hold float32 weights and the state of training.</p>
${verification ? verified(verification, record) : later("The file has not been verified in a runtime.")}`;
}

function verified(
  { runtime, images, metrics, trainerMetrics, agreement, kernels, layers, latency }: Verification,
  record: RunRecord,
): Markup {
  const { task } = record;
  const metric = mainMetric(task);
  const [file, trainer] = [mainValue(task, metrics), mainValue(task, trainerMetrics)];
  return markup`<h3>Verification in ${foreign(runtime)}</h3>
${facts([
  [capital(samplesOf(record.data)), integer(images)],
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
  hidesUniform: true,
})}
${latency && latency.length > 0 && latencyTable(latency)}`;
}

const latencyTable = (latency: readonly Speed[]): Markup => markup`<h3>Latency</h3>
<p>Bit operations are not latency: a runtime gains only where it has kernels for the bit-widths. Measured in this runtime with the threads of the run, on the machine that verified the file.</p>
${table<Speed>({
  id: "latency",
  caption: "Median time of one batch",
  columns: [
    { title: "Batch", kind: "number", value: ({ batch }) => batch },
    ...(latency.some(({ threads }) => threads !== undefined) ? [threadColumn] : []),
    milliseconds("This file", ({ medianMs }) => medianMs),
    milliseconds("FP32, unpruned", ({ fp32MedianMs }) => fp32MedianMs),
    {
      title: "Against float32",
      kind: "number",
      value: ({ medianMs, fp32MedianMs }) => (medianMs === 0 ? null : fp32MedianMs / medianMs),
      show: speedText,
    },
  ],
  rows: latency,
})}`;

const threadColumn: Column<Speed> = {
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
