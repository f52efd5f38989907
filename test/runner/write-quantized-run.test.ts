import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readQuantizedRecord } from "../../src/ptq/read-quantized-record.ts";
import { placesOf } from "../../src/runner/quantized-places.ts";
import { type QuantizedRun, writeQuantizedRun } from "../../src/runner/write-quantized-run.ts";
import { quantizedRecord } from "../fixtures/quantized-record.ts";

const { files: _, ...record } = quantizedRecord();
const run: QuantizedRun = {
  places: placesOf(record.settings),
  record,
  model: Uint8Array.of(1, 2, 3),
  bits: { format: "bayesian-bits-quantized-tensors", version: 1, network: "it.onnx", tensors: [] },
};

t.test("the record has the hashes of what was written", async (t) => {
  const folder = t.testdir({});
  const written = writeQuantizedRun(folder, run);
  t.strictSame(readdirSync(folder).sort(), [
    "bits.json",
    "model.onnx",
    "quantize.yaml",
    "quantized.json",
    "report.html",
  ]);
  t.strictSame(readQuantizedRecord(folder), written);
  for (const { path, bytes, sha256 } of written.files) {
    const content = readFileSync(join(folder, path));
    t.strictSame([bytes, sha256], [content.length, createHash("sha256").update(content).digest("hex")]);
  }
  t.strictSame(JSON.parse(readFileSync(join(folder, "bits.json"), "utf8")), run.bits);
});

for (const blocked of ["model.onnx", "bits.json", "quantize.yaml", "report.html"]) {
  t.test(`where ${blocked} cannot be written there is no record, not even an old one`, async (t) => {
    const folder = t.testdir({});
    writeFileSync(join(folder, "quantized.json"), "{}");
    mkdirSync(join(folder, blocked));
    t.throws(() => writeQuantizedRun(folder, run), { name: "UserError", message: blocked });
    t.notOk(existsSync(join(folder, "quantized.json")));
  });
}
