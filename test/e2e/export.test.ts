import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type ExportForm, exportForms, onnxForms } from "../../src/config/sections/export-settings.ts";
import { packedBytes } from "../../src/export/onnx/packing.ts";
import { encodeModelProto, readModel } from "../../src/export/onnx/read-model.ts";
import { encodeCheckpoint, readCheckpoint } from "../../src/runs/checkpoint.ts";
import { recordVersion } from "../../src/runs/record.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";
import { previousCheckpoint, runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { withoutLiteRt } from "../fixtures/litert.ts";
import { initializer } from "../fixtures/onnx-values.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { withoutMnist } from "../fixtures/real-mnist.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { sameClassOf } from "../fixtures/tasks.ts";

const config = "configs/mnist-lenet5-quick.yaml";
const set = (...settings: readonly string[]) => settings.flatMap((setting) => ["--set", setting]);

// `npm run test:export` sets it; the random networks of test/export are the short version.
const long = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const forms = withoutLiteRt() ? onnxForms : exportForms;
const skip = nativeMissing() || (await withoutMnist()) || (!long && "a long check: npm run test:export");

t.test("LeNet-5 trained on MNIST", { skip }, async (t) => {
  const out = join(t.testdir(), "run");
  const trained = await runHere("train", config, "--out", out);
  t.equal(trained.code, 0, trained.stderr);
  const { bytes: sizes, metrics } = readRecord(out).result!;
  const top1 = metrics.top1!;
  const { code, stderr } = await runHere("export", out, "--form", "all");
  t.equal(code, 0, stderr);
  const { exports } = readRecord(out);
  t.same(exports.map(({ form }) => form).toSorted(), forms.toSorted());
  const bytesOf = (form: ExportForm) => exports.find((one) => one.form === form)!.bytes;
  t.ok(bytesOf("compact") <= 1.05 * bytesOf("packed"), `compact: ${bytesOf("compact")}, packed ${bytesOf("packed")}`);
  for (const { form, verification, file, bytes } of exports) {
    t.equal(verification!.images, 10_000, `${form}: the whole test set`);
    t.ok(
      Math.abs(verification!.metrics.top1! - top1) <= 0.05,
      `${form}: top-1 ${verification!.metrics.top1!} %, the trainer's ${top1} %`,
    );
    t.ok(sameClassOf(verification!)! >= 99.9, `${form}: the same class for ${sameClassOf(verification!)} %`);
    for (const { name, equalCodes, largestDifference } of verification!.layers) {
      t.ok(equalCodes >= 99.99 && largestDifference <= 1, `${form}: codes of ${name}`);
    }
    if (form === "compact") t.same(verification!.kernels, { integer: 4, float: [] }, "all layers in integers");
    t.comment(`${form}: ${bytes} bytes`);
    if (form !== "packed") continue;
    t.ok(bytes <= 0.08 * sizes.fp32, `${bytes} bytes, at most 8 % of ${sizes.fp32}`);
    const model = readModel(readFileSync(join(out, file)), file);
    const bits = JSON.parse(model.metadataProps.find(({ key }) => key === "bits")!.value!) as Record<string, 2 | 32>;
    const weights = Object.keys(bits).filter((name) => name.endsWith(".weight"));
    t.equal(weights.length, 4);
    for (const name of weights) {
      const stored = initializer(model, bits[name] === 32 ? name : `${name}.codes`);
      const elements = stored.dims.reduce((product, size) => product * size, 1);
      t.equal(stored.bytes.length, packedBytes(bits[name]!, elements), `${name}: ceil(${bits[name]} · elements / 8)`);
    }
  }
});

t.test("an export that fails", { skip: nativeMissing() }, async (t) => {
  const folder = t.testdir();
  const data = writeSmallMnist(join(folder, "data"), { train: 40, test: 20 });
  const finished = join(folder, "finished");
  const settings = set(`data.folder=${data}`, "training.epochs=1", "data.batchSize=8");
  const trained = await runHere("train", config, ...settings, "--out", finished);
  t.equal(trained.code, 0, trained.stderr);

  /** A copy of the run without its ONNX file. */
  const copy = (name: string) => {
    const to = join(folder, name);
    cpSync(finished, to, { recursive: true, filter: (from) => !from.endsWith(".onnx") });
    return to;
  };
  const fails = async (t: Test, folder: string, message: RegExp) => {
    const { code, stderr } = await runHere("export", folder);
    t.equal(code, 1, stderr);
    t.match(stderr, message);
    t.notMatch(stderr, /\n\s+at /, "no stack trace");
    t.strictSame(onnxFiles(folder), [], "no file, whole or half");
  };
  const onnxFiles = (folder: string) => readdirSync(folder).filter((name) => name.includes(".onnx"));

  await t.test("on a full disk, whichever of its writes finds it so", async (t) => {
    const log = join(folder, "operations");
    const exportTo = (out: string, fault: string) => {
      mkdirSync(out, { recursive: true });
      const env = {
        NODE_OPTIONS: "--import ./test/fixtures/faulty-files.mjs",
        FAULT: `${fault}:${out}`,
        FAULT_LOG: log,
      };
      return start(["export", finished, "--out", join(out, "model.onnx")], env).ended;
    };
    writeFileSync(log, "");
    const whole = await exportTo(join(folder, "whole"), "COUNT:0");
    t.equal(whole.code, 0, whole.stderr);
    const operations = readFileSync(log, "utf8").trim().split("\n");
    const write = operations.findIndex((line) => line.startsWith("writeSync")) + 1;
    const rename = operations.findLastIndex((line) => line.startsWith("renameSync")) + 1;
    t.ok(write > 0 && rename > write, operations.join(", "));
    // When it is opened, when it is written, and when it gets its name.
    for (const nth of [1, write, rename]) {
      const out = join(folder, `full-${nth}`);
      const { code, stderr } = await exportTo(out, `ENOSPC:${nth}`);
      t.equal(code, 1, stderr);
      t.match(stderr, /cannot write .*model\.onnx.*the disk is full: free space there/);
      t.strictSame(readdirSync(out), [], `nothing is left when change ${nth} fails`);
    }
  });

  await t.test("from a truncated checkpoint", async (t) => {
    const folder = copy("truncated");
    truncateSync(runFiles(folder).checkpoint, 5000);
    truncateSync(previousCheckpoint(folder), 1000);
    await fails(t, folder, /last\.safetensors: it is damaged.*previous\.safetensors: it is damaged/);
  });

  await t.test("from a checkpoint that lacks a tensor", async (t) => {
    const folder = copy("incomplete");
    const checkpoint = readCheckpoint(runFiles(folder).checkpoint);
    const tensors = new Map(checkpoint.tensors);
    const name = [...tensors.keys()].find((key) => key.startsWith("parameter/") && key.includes("conv2"))!;
    tensors.delete(name);
    writeFileSync(runFiles(folder).checkpoint, encodeCheckpoint({ ...checkpoint, tensors }));
    await fails(t, folder, new RegExp(name.replaceAll(".", "\\.")));
  });

  await t.test("from a record of a newer version", async (t) => {
    const folder = copy("newer");
    const file = join(folder, recordFile);
    writeFileSync(file, readFileSync(file, "utf8").replace(/"version":\s*\d+/, `"version": ${recordVersion + 1}`));
    await fails(t, folder, new RegExp(`record\\.json.*version ${recordVersion + 1}`));
  });

  await t.test("a file of an operator set that the runtime does not know is refused", async (t) => {
    const model = readModel(readFileSync(runFiles(finished).model), "model.onnx");
    for (const operators of model.opsetImport) operators.version = 99n;
    const file = join(folder, "newer.onnx");
    writeFileSync(file, encodeModelProto(model));
    const { code, stderr } = await runHere("evaluate", file, "--data", "mnist", "--data-folder", data);
    t.equal(code, 1, stderr);
    t.match(stderr, /newer\.onnx: onnxruntime .* cannot load it: .*opset/i);
    t.notMatch(stderr, /\n\s+at /, "no stack trace");
  });
});
