import t from "tap";
import { deliveredExport, withExport } from "../../src/runs/exports.ts";
import type { ExportRecord, RunRecord } from "../../src/runs/record.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const record = sampleRecord();
const [delivered] = record.exports as [ExportRecord];
const int8: ExportRecord = { ...delivered, form: "int8", file: "model.int8.onnx", bytes: 300_000 };

t.test("another form stands beside the delivered file and changes nothing of it", async (t) => {
  const both = withExport(record, int8);
  t.strictSame(both.exports, [delivered, int8]);
  t.strictSame(deliveredExport(both), delivered);
  t.strictSame(record.exports, [delivered], "the record given stays what it is");
});

t.test("a file written again takes its own place", async (t) => {
  const again = { ...int8, bytes: 1 };
  t.strictSame(withExport(withExport(record, int8), again).exports, [delivered, again]);
  const renewed = { ...delivered, opset: 21 };
  t.strictSame(withExport(withExport(record, int8), renewed).exports, [renewed, int8]);
});

t.test("without a file of the run's own form nothing is delivered", async (t) => {
  t.equal(deliveredExport({ ...record, exports: [] }), null);
  t.equal(deliveredExport({ ...record, exports: [int8] }), null);
});

t.test("of a run whose own form is no ONNX that file is delivered", async (t) => {
  const config: RunRecord["config"] = { ...record.config, export: { ...record.config.export, form: "tflite" } };
  const tflite: ExportRecord = { ...delivered, form: "tflite", file: "model.tflite" };
  t.strictSame(deliveredExport({ config, exports: [delivered, tflite] }), tflite);
});
