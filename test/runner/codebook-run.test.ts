import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { exportRun } from "../../src/runner/export-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 40, test: 10 });

type Method = Extract<RunSettings["method"], { name: "product-quantization" }>;

const settings = (method: Partial<Method>, epochs: number) => ({
  name: "codes",
  data: { name: "mnist" as const, folder: data, batchSize: 8 },
  network: { file: pathOf("keras-cnn") },
  method: {
    name: "product-quantization" as const,
    calibration: { images: 16, positions: 8 },
    ...method,
  },
  training: { epochs, weights: { optimizer: "sgd" as const, learningRate: 0.01 } },
  export: { latency: false as const },
});

const learned = settings({ centroids: 8, firstLayer: true, finetune: { steps: 3, learningRate: 0.01 } }, 1);
const folder = join(root, "whole");
let whole: RunRecord;

t.test("layers become codes, codebooks learn, and the file has them", { timeout: 120_000 }, async (t) => {
  whole = await train(learned, { folder });
  const { codebooks, result, exports, epochs } = whole;
  t.equal(codebooks!.layers.length, whole.network.layers.length);
  t.equal(epochs.length, 1);
  for (const { name, objective, occupancy, finetuned, centroids } of codebooks!.layers) {
    t.equal(occupancy.length, centroids, name);
    t.ok(occupancy[0]! > 0, `${name}: no cluster is empty`);
    t.ok(objective.at(-1)! <= objective[0]!, `${name}: less is lost at the end`);
    t.equal(finetuned!.steps, 3, name);
  }
  const [verification] = exports.map((one) => one.verification!);
  t.equal(verification!.metrics.top1, result!.metrics.top1, "the file is as good as the trainer");
  const codes = result!.layers.reduce((sum, { codebook }) => sum + codebook!.indexBytes + codebook!.codebookBytes, 0);
  t.ok(codes < result!.bytes.packed && result!.bytes.packed < result!.bytes.fp32 / 4, "bytes");
  const { tensors } = JSON.parse(readFileSync(runFiles(folder).bits, "utf8"));
  t.match(
    tensors[0],
    { bits: 32, codebook: { blockSize: 5, centroids: 4, codeBits: 2 } },
    "fewer where blocks are few",
  );
  const report = readFileSync(runFiles(folder).report, "utf8");
  t.match(report, /Codebooks/);
  t.equal(whole.analysis?.sensitivity, undefined, "codes have no other widths");
  for (const ofGrids of [/What other bits would give/, /Weights on their grids/, /±1,000,000/])
    t.notMatch(report, ofGrids);
  t.equal((await evaluateRun(folder)).metrics.top1, result!.metrics.top1);
  await t.rejects(exportRun(folder, { form: "int8" }), {
    name: "UserError",
    message: /cannot export int8: expected compact, nbits or fp32: files of form int8 hold weights as integers/,
  });
  const { written } = await exportRun(folder, { form: "fp32" });
  t.ok(written[0]!.bytes > exports[0]!.bytes, "their values take more");
});

/** Trains until `isReached`, and then to the end. */
async function stopAndResume(name: string, isReached: (record: RunRecord) => boolean): Promise<RunRecord> {
  const stop = new AbortController();
  const onRecord: TrainOptions["onRecord"] = (record) => {
    if (isReached(record)) stop.abort("SIGTERM");
  };
  const out = join(root, name);
  await t.rejects(train(learned, { folder: out, stop: stop.signal, onRecord }), { name: "StoppedError" });
  return train(learned, { folder: out, resume: true });
}

t.test("stopped between layers or behind them, a run comes to the same bytes", { timeout: 120_000 }, async (t) => {
  const model = readFileSync(runFiles(folder).model);
  for (const [name, isReached] of [
    ["layers", ({ codebooks }: RunRecord) => codebooks?.layers.length === 2],
    ["epoch", ({ epochs }: RunRecord) => epochs.length === 1],
  ] as const) {
    const resumed = await stopAndResume(name, isReached);
    t.strictSame(resumed.codebooks, whole.codebooks, name);
    t.strictSame(resumed.result, whole.result, name);
    t.ok(readFileSync(runFiles(join(root, name)).model).equals(model), `${name}: the file`);
  }
});

t.test("plain k-means, codes of 16 bits, and layers that stay", { timeout: 120_000 }, async (t) => {
  const plain = settings(
    { activations: false, biasCorrection: false, blockSize: { conv: 3, dense: 2 }, centroids: 4096 },
    0,
  );
  const { codebooks, result, exports, epochs } = await train(plain, { folder: join(root, "plain") });
  t.strictSame(epochs, []);
  t.equal(codebooks!.images, 0);
  t.equal(result!.layers[0]!.codebook, undefined, "the first layer stays");
  t.ok(
    result!.layers.some(({ codebook }) => codebook?.codeBits === 16),
    "more than 256 centroids",
  );
  t.equal(exports[0]!.verification!.metrics.top1, result!.metrics.top1);
});

t.test("settings that fit nothing are one message", async (t) => {
  const refused = (method: Partial<Method>, message: RegExp, more: Partial<RunSettings> = {}) =>
    t.rejects(train({ ...settings(method, 0), ...more }, { folder: join(root, "refused"), force: true }), {
      name: "UsageError",
      message,
    });
  await refused({ skip: ["nothing"] }, /method\.skip: expected layers of .*, got nothing/);
  await refused({}, /export\.form: expected compact, nbits or fp32: files of form packed hold/, {
    export: { form: "packed" },
  });
  await refused({}, /training\.pretrain: expected nothing/, { training: { pretrain: { epochs: 1 } } });
  const zoo = { network: { name: "lenet5" as const }, training: {} };
  await refused({}, /training\.from: expected the folder of a run, or network\.file/, zoo);
});
