import t from "tap";
import { recommendedExport, speedText } from "../../../src/report/run/recommended-export.ts";
import type { ExportRecord } from "../../../src/runs/record.ts";
import { sampleRecord } from "../../fixtures/sample-record.ts";

const [shipped] = sampleRecord().exports;

/** A file of a form whose time, in milliseconds, stands beside 1 ms of float32; null: not measured. */
function file(form: ExportRecord["form"], bytes: number, medianMs: number | null): ExportRecord {
  const latency =
    medianMs === null
      ? []
      : [
          { batch: 32, medianMs: 50, fp32MedianMs: 1 },
          { batch: 1, medianMs, fp32MedianMs: 1 },
        ];
  return { ...shipped!, form, file: `model.${form}.onnx`, bytes, verification: { ...shipped!.verification!, latency } };
}

const unverified = (exported: ExportRecord): ExportRecord => ({ ...exported, verification: null });

const advice = (...exports: ExportRecord[]) => {
  const { exported, reason } = recommendedExport({ exports })!;
  return `${exported.file} ${reason}`;
};

t.test("speed against float32, in words", async (t) => {
  const text = (medianMs: number) => speedText({ batch: 1, medianMs, fp32MedianMs: 1 });
  t.strictSame([3.04, 1.24, 1.04, 1, 0.97, 0.5, 0.001, 0].map(text), [
    ...["3.0 times slower", "1.24 times slower", "as fast", "as fast", "as fast"],
    ...["2.0 times faster", "1,000 times faster", "not measurable"],
  ]);
});

t.test("the fastest file is recommended, and what a smaller one would cost is said", async (t) => {
  t.equal(
    advice(file("compact", 35_000, 3.04), file("int8", 80_000, 0.5)),
    "model.int8.onnx is the fastest: 2.0 times faster than float32; model.compact.onnx is smaller (35.0\u202fkB) and 3.0 times slower than float32",
  );
  t.equal(
    advice(file("compact", 35_000, 3.04), file("int8", 80_000, 1.5)),
    "model.int8.onnx is the fastest: 1.50 times slower than float32; none is as fast as float32; model.compact.onnx is smaller (35.0\u202fkB) and 3.0 times slower than float32",
  );
});

t.test("of files that are as fast the smallest is recommended", async (t) => {
  t.equal(
    advice(file("int8", 80_000, 0.5), file("compact", 35_000, 0.53)),
    "model.compact.onnx is as fast as any other, and the smallest of those: 1.89 times faster than float32",
  );
});

t.test("files for other tools are not recommended where one is for running, and unverified ones neither", async (t) => {
  t.match(
    advice(file("qonnx", 10, 0.1), file("fp32", 1000, 0.2), file("int8", 900, 1)),
    /^model\.int8\.onnx is the only file to run: as fast as float32$/,
  );
  t.match(advice(unverified(file("int8", 10, 0.1)), file("compact", 900, 2)), /^model\.compact/);
});

t.test("without times the smallest is recommended, and it is said what is not known", async (t) => {
  t.equal(
    advice(file("int8", 80, null), file("packed", 30, null)),
    "model.packed.onnx is the smallest; its speed was not measured",
  );
  t.equal(
    advice(unverified(file("tflite", 80, null))),
    "model.tflite.onnx is the only file; no runtime has verified it",
  );
  t.equal(
    advice(file("int8", 80, 2), file("packed", 30, null)),
    "model.int8.onnx is the only one whose speed was measured: 2.0 times slower than float32",
  );
  t.equal(recommendedExport({ exports: [] }), null);
});
