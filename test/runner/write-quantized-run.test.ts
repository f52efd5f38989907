import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { encodeModel } from "../../src/onnx/encode-model.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { readQuantizedRecord } from "../../src/ptq/read-quantized-record.ts";
import { placesOf } from "../../src/runner/quantized-places.ts";
import { type QuantizedRun, writeQuantizedRun } from "../../src/runner/write-quantized-run.ts";
import { checkFile } from "../../src/runs/run-manifest.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";
import { quantizedRecord } from "../fixtures/quantized-record.ts";

const { files: _, ...record } = quantizedRecord();
const run: QuantizedRun = {
  places: placesOf(record.settings),
  record,
  model: { bytes: Uint8Array.of(1, 2, 3), beside: [] },
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

t.test("weights beside the model are a file of their own, with a hash, which goes with the next one", async (t) => {
  const folder = t.testdir({});
  const model = encodeModel(readModel(bytesOf("pytorch-cnn-legacy"), "it.onnx"), { largest: 1 });
  const { files } = writeQuantizedRun(folder, { ...run, model });
  t.ok(model.beside.length > 1);
  t.equal(files[0]?.path, "model.onnx_data");
  for (const file of files) t.match(checkFile(folder, file), { state: "whole" });
  await using session = await FileSession.load(join(folder, "model.onnx"), "model.onnx");
  t.equal(session.inputs.length, 1);
  writeQuantizedRun(folder, run);
  t.notOk(existsSync(join(folder, "model.onnx_data")));
});
