import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { bitsSchema } from "../../src/export/bits-file.ts";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { outcome } from "../fixtures/outcome.ts";
import { run, start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { classificationOf } from "../fixtures/tasks.ts";

const config = "configs/mnist-lenet5-quick.yaml";
const data = writeSmallMnist(join(t.testdir(), "data"));
const small = [
  `data.folder=${data}`,
  `network.file=${pathOf("keras-cnn")}`,
  "training.epochs=3",
  "data.batchSize=8",
  "name=small",
].flatMap((setting) => ["--set", setting]);

t.test("a run, end to end", { skip: nativeMissing() }, async (t) => {
  const [first, second, stopped] = ["first", "second", "stopped"].map((name) => join(t.testdir(), name)) as [
    string,
    string,
    string,
  ];

  await t.test("trains, exports, verifies and reports", async (t) => {
    const { code, stdout, stderr } = await run("train", config, ...small, "--out", first, "--json");
    t.equal(code, 0, stderr);
    const line = JSON.parse(stdout.trim().split("\n").at(-1)!);
    t.match(line, {
      run: first,
      engine: "native",
      verified: true,
      bytes: { packed: Number, fp32: 26_344 },
      channels: { of: 34 },
    });
    t.ok(line.top1 > 90, `learned the classes: ${line.top1} %`);
    const { vocabulary, ...files } = runFiles(first);
    for (const file of Object.values(files)) t.ok(existsSync(file), file);
    t.notOk(existsSync(vocabulary), "images have no words");
    const record = readRecord(first);
    t.equal(record.epochs.length, 3);
    t.ok(record.result!.relativeBops < 100);
    t.ok(record.exports[0]!.verification!.layers.every(({ largestDifference }) => largestDifference <= 1));
  });

  await t.test("keeps in the record what the trained network says of itself", async (t) => {
    const { analysis, findings, result, network, data } = readRecord(first);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const keptOf = new Map(result!.layers.map(({ name, keptOutputs }) => [`${name}.weight.quantizer`, keptOutputs]));
    for (const { quantizer, kept } of analysis!.channels) t.equal(kept.length, keptOf.get(quantizer), quantizer);
    for (const { quantizer, bins, beyond } of analysis!.weights) {
      const { weightShape } = network.layers.find(({ weightQuantizer }) => weightQuantizer === quantizer)!;
      const expected = weightShape.slice(0, -1).reduce((size, side) => size * side, keptOf.get(quantizer)!);
      t.equal(sum(bins) + sum(beyond), expected, `weights of the kept channels of ${quantizer}`);
    }
    const { calibration, worst } = classificationOf(findings);
    const { bins } = calibration!;
    t.equal(sum(bins.map(({ images }) => images)), data.testImages);
    const correct = sum(bins.map(({ images, accuracy }) => images * accuracy));
    t.ok(Math.abs((100 * correct) / data.testImages - result!.metrics.top1!) < 1e-6, "as many are right as top-1 says");
    t.equal(worst!.length, Math.min(24, data.testImages - Math.round(correct)));
    t.strictSame(
      network.graph!.filter(({ kind }) => kind === "conv2d" || kind === "dense").map(({ id }) => id),
      network.layers.map(({ name }) => name),
    );
  });

  await t.test("the same configuration and seed give the same bytes", async (t) => {
    const { code, stderr } = await runHere("train", config, ...small, "--out", second);
    t.equal(code, 0, stderr);
    t.strictSame(outcome(second), outcome(first));
  });

  await t.test("stopped in the middle of an epoch and resumed, it gives the same bytes", async (t) => {
    const { child, ended } = start(["train", config, ...small, "--out", stopped]);
    // The first epoch's line in the log: the second epoch is under way.
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (chunk: Buffer) => chunk.includes("epoch 1/3") && setTimeout(resolve, 100)),
    );
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    t.equal(code, 130, stderr);
    t.match(stderr, /continue with --resume/);
    const { progress, record } = readCheckpoint(runFiles(stopped).checkpoint);
    t.equal(record.status, "stopped");
    t.ok(progress.batch > 0, `in the middle of an epoch: ${progress.batch} batches done`);
    const resumed = await runHere("train", config, ...small, "--out", stopped, "--resume");
    t.equal(resumed.code, 0, resumed.stderr);
    t.strictSame(outcome(stopped), outcome(first));
  });

  await t.test("a finished run is refused without --force and left alone by --resume", async (t) => {
    const refused = await runHere("train", config, ...small, "--out", first);
    t.equal(refused.code, 2);
    t.match(refused.stderr, /already holds a finished run.*--force/);
    const resumed = await runHere("train", config, ...small, "--out", first, "--resume");
    t.equal(resumed.code, 0);
  });

  await t.test("evaluate, export and report work on its folder", async (t) => {
    const { top1 } = readRecord(first).result!.metrics;
    const evaluated = await run("evaluate", first, "--json");
    t.equal(JSON.parse(evaluated.stdout).top1, top1);
    const file = await runHere("evaluate", runFiles(first).model, "--data", "mnist", "--data-folder", data, "--json");
    t.equal(JSON.parse(file.stdout).top1, top1, file.stderr);
    const exported = await run("export", first, "--out", join(first, "again.onnx"));
    t.equal(exported.code, 0, exported.stderr);
    const [delivered] = readRecord(first).exports;
    t.match(delivered, { form: "compact", file: "model.onnx" });
    t.strictSame(readFileSync(join(first, "again.onnx")), readFileSync(runFiles(first).model));
    t.equal((await run("report", first)).code, 0);
    for (const form of ["int8", "fp32", "qonnx"]) {
      const other = await runHere("export", first, "--form", form, "--input", "float");
      t.equal(other.code, 0, other.stderr);
      const exported = readRecord(first).exports.find(({ file }) => file === `model.${form}.onnx`);
      t.match(exported, { form, input: "float", file: `model.${form}.onnx`, verification: { images: Number } });
      t.equal(exported!.verification!.latency?.length, form === "qonnx" ? undefined : 2);
      const file = join(first, `model.${form}.onnx`);
      const again = await runHere("evaluate", file, "--data", "mnist", "--data-folder", data, "--json");
      t.equal(JSON.parse(again.stdout).top1, top1, again.stderr);
    }
    const { exports } = readRecord(first);
    t.strictSame(exports[0], delivered, "what is known of model.onnx stays");
    t.strictSame(
      exports.map(({ file }) => file),
      ["model.onnx", "again.onnx", "model.int8.onnx", "model.fp32.onnx", "model.qonnx.onnx"],
    );
    const page = readFileSync(runFiles(first).report, "utf8");
    for (const { file } of exports) t.match(page, file);
    const { tensors } = bitsSchema.parse(JSON.parse(readFileSync(runFiles(first).bits, "utf8")));
    t.equal(tensors.length, 7, "four weights and three activations");
  });
});

t.test("the WebAssembly engine trains a small network", async (t) => {
  const out = join(t.testdir(), "wasm");
  const { code, stdout, stderr } = await runHere(
    "train",
    config,
    ...small,
    "--set",
    "training.epochs=1",
    "--set",
    "engine.kind=wasm",
    "--set",
    "data.limit={train: 160, test: 50}",
    "--set",
    "data.batchSize=8",
    "--out",
    out,
    "--json",
  );
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout.trim()), { engine: "wasm", verified: true });
  t.ok(readRecord(out).epochs[0]!.train.taskLoss < 2.3, "it has begun to learn");
});
