import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { evaluateOnnx } from "../../src/runner/evaluate-onnx.ts";
import { train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing, random } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";

const root = t.testdir();
const side = 16;

/** Quarters of images are bright or not: what is to be told of each. */
function quarters(count: number, stream: string) {
  const noise = random(7, stream, [count, side * side], 30);
  const bits = Uint8Array.from(random(8, stream, [count * 4]), (value) => Number(value > 0));
  const images = Uint8Array.from(noise, (value, index) => {
    const pixel = index % (side * side);
    const quarter = 2 * Number(pixel >= (side * side) / 2) + Number(pixel % side >= side / 2);
    return 60 + value + 120 * bits[4 * Math.floor(index / (side * side)) + quarter]!;
  });
  return { images, bits };
}

const parts = { train: quarters(64, "train"), test: quarters(20, "test") };

/** Writes both parts with these labels. */
function written(name: string, labels: (part: (typeof parts)["train"], count: number) => Buffer): string {
  const path = join(root, `${name}.npz`);
  const arrays = Object.entries(parts).flatMap(([part, set]) => {
    const count = set.bits.length / 4;
    return [
      [`${part}_images`, npy("|u1", [count, side, side], set.images)],
      [`${part}_labels`, labels(set, count)],
    ] as const;
  });
  writeFileSync(path, npz(Object.fromEntries(arrays)));
  return path;
}

const settings = (path: string, more: Partial<RunSettings>): RunSettings => ({
  name: "task",
  data: { name: "npz", train: path, test: path, batchSize: 16 },
  network: { name: "lenet5" },
  method: { name: "fixed", weights: 8, activations: 8 },
  training: { epochs: 2 },
  export: { latency: false },
  ...more,
});

t.test("labels: trained, exported, reported, and distilled", { skip: nativeMissing(), timeout: 120_000 }, async (t) => {
  const path = written("labels", ({ bits }, count) => npy("|b1", [count, 4], bits));
  const task = { name: "multi-label" as const };
  const folder = join(root, "labels");
  const record = await train(settings(path, { task }), { folder });
  const { result, epochs, data, exports, findings } = record;
  t.strictSame(data.targets, { kind: "labels", names: ["0", "1", "2", "3"] });
  t.match(record.task, { metrics: [{ key: "map" }, { key: "labelsRight" }], loss: { label: "binary cross-entropy" } });
  t.ok(epochs.at(-1)!.train.taskLoss < epochs[0]!.train.taskLoss);
  t.ok(result!.metrics.map! > 50 && result!.metrics.map! <= 100, `${result!.metrics.map}`);
  t.ok(Math.abs(exports[0]!.verification!.metrics.map! - result!.metrics.map!) < 10);
  if (findings?.task !== "multi-label") throw new Error(findings?.task);
  t.equal(findings.labels.length, 4);
  t.match(readFileSync(runFiles(folder).report, "utf8"), /Each label by itself/);
  const evaluated = await evaluateOnnx(runFiles(folder).model, { data: settings(path, {}).data, task });
  t.ok(Math.abs(evaluated.metrics.map! - result!.metrics.map!) < 10);

  const unlabelled = join(root, "without-labels.npz");
  const images = Object.entries(parts).map(
    ([part, set]) => [`${part}_images`, npy("|u1", [set.bits.length / 4, side, side], set.images)] as const,
  );
  writeFileSync(unlabelled, npz(Object.fromEntries(images)));
  const distilled = settings(unlabelled, { task, training: { epochs: 1, from: folder } });
  const student = await train(distilled, { folder: join(root, "distilled") });
  t.match(student.task, { judge: "teacher", metrics: [{ label: "mAP against the teacher" }] });
  t.ok(student.exports[0]!.verification);
});

t.test("images: given again, and anomalies told apart", { skip: nativeMissing(), timeout: 120_000 }, async (t) => {
  // Class 1: the first quarter is bright.
  const path = written("anomalies", ({ bits }, count) =>
    npy(
      "|u1",
      [count],
      Uint8Array.from({ length: count }, (_, image) => bits[4 * image]!),
    ),
  );
  const task = { name: "reconstruction" as const, anomalies: ["1"] };
  const folder = join(root, "anomalies");
  const record = await train(settings(path, { task, network: { name: "autoencoder" } }), { folder });
  const { result, data, findings, exports, epochs } = record;
  t.equal(data.trainImages, parts.train.bits.filter((bit, index) => index % 4 === 0 && bit === 0).length);
  t.equal(data.testImages, 20, "all of them");
  t.match(record.task.metrics, [{ key: "auc" }, { key: "mse" }, { key: "r2" }]);
  t.ok(epochs.at(-1)!.train.metrics.mse! < epochs[0]!.train.metrics.mse!);
  const { auc, mse } = exports[0]!.verification!.metrics;
  t.ok(Math.abs(auc! - result!.metrics.auc!) < 0.05 && Math.abs(mse! - result!.metrics.mse!) < 0.01, `${auc}, ${mse}`);
  t.equal(findings?.task, "reconstruction");
  t.match(readFileSync(runFiles(folder).report, "utf8"), /Anomalies that go unseen/);
  const evaluated = await evaluateOnnx(runFiles(folder).model, { data: settings(path, {}).data, task });
  t.ok(Math.abs(evaluated.metrics.mse! - result!.metrics.mse!) < 0.01);
  const unknown = settings(path, {
    task: { name: "reconstruction", anomalies: ["shoe"] },
    network: { name: "autoencoder" },
  });
  await t.rejects(train(unknown, { folder: join(root, "no") }), {
    name: "UsageError",
    message: /task\.anomalies: expected classes of the data \(0, 1\), got shoe/,
  });
});

/** The class of each pixel: whether its quarter is bright; the first row does not count. */
const maskOf = ({ bits }: (typeof parts)["train"], count: number): Uint8Array =>
  Uint8Array.from({ length: count * side * side }, (_, index) => {
    const pixel = index % (side * side);
    const quarter = 2 * Number(pixel >= (side * side) / 2) + Number(pixel % side >= side / 2);
    return pixel < side ? 255 : bits[4 * Math.floor(index / (side * side)) + quarter]!;
  });

t.test(
  "masks: learned pixel by pixel, cropped with their images",
  { skip: nativeMissing(), timeout: 120_000 },
  async (t) => {
    const path = written("masks", (set, count) => npy("|u1", [count, side, side], maskOf(set, count)));
    const task = { name: "segmentation" as const };
    const data = { name: "npz" as const, train: path, test: path, batchSize: 16, classes: ["dark", "bright"] };
    const folder = join(root, "masks");
    const network = { name: "small-fcn" as const };
    const augmentation = { crop: { padding: 2 }, flip: true };
    const record = await train(settings(path, { task, network, data: { ...data, augmentation } }), { folder });
    const { result, findings, exports } = record;
    t.strictSame(record.data.targets, { kind: "masks", names: ["dark", "bright"], size: [side, side] });
    t.ok(result!.metrics.miou! > 80, `${result!.metrics.miou}`);
    t.ok(Math.abs(exports[0]!.verification!.metrics.miou! - result!.metrics.miou!) < 1);
    t.equal(findings?.task === "segmentation" && findings.worst.length, 8);
    t.match(readFileSync(runFiles(folder).report, "utf8"), /Worst masks/);
    const evaluated = await evaluateOnnx(runFiles(folder).model, { data, task });
    t.ok(Math.abs(evaluated.metrics.miou! - result!.metrics.miou!) < 1, `${evaluated.metrics.miou}`);

    const distilled = { epochs: 1, from: folder, loss: "distill" as const };
    const student = await train(settings(path, { task, network, data, training: distilled }), {
      folder: join(root, "mask-student"),
    });
    t.equal(student.task.loss.label, "divergence from the teacher");
    t.ok(student.result!.metrics.miou! > 80);

    const refused = (more: Partial<RunSettings>, message: RegExp) =>
      t.rejects(train(settings(path, { task, network, data, ...more }), { folder: join(root, "no") }), {
        name: /Error/,
        message,
      });
    const small = written("small-masks", (_, count) => npy("|u1", [count, 8, 8], new Uint8Array(64 * count)));
    await refused({ data: { ...data, train: small, test: small } }, /has masks of 8 x 8, .* has images of 16 x 16/);
    await refused(
      { network: { name: "lenet5" } },
      /network: lenet5 gives 2, and task\.name segmentation needs 512 values, 2 in the last axis/,
    );
  },
);

t.test("labels of the wrong kind are refused", async (t) => {
  const task = { name: "multi-label" as const };
  const refused = (path: string, message: RegExp, more: Partial<RunSettings> = {}) =>
    t.rejects(train(settings(path, { task, ...more }), { folder: join(root, "no") }), { name: /Error/, message });
  const two = written("two", (_, count) => npy("|u1", [count, 4], new Uint8Array(4 * count).fill(2)));
  await refused(two, /cannot read .*: 2 of image 0, expected 0 or 1 for each label/);
  const flat = written("flat", (_, count) => npy("|u1", [count], new Uint8Array(count)));
  await refused(flat, /shape \(64,\), expected a row of labels for each image: \(images, labels\)/);
  const floats = written("floats", (_, count) => npy("<f4", [count, 4], new Uint8Array(16 * count)));
  await refused(floats, /elements of type "<f4", expected integers or booleans, 0 or 1 for each label/);
  const named = { name: "npz" as const, train: two, test: two, classes: ["a", "b"] };
  const good = written("good", ({ bits }, count) => npy("|u1", [count, 4], bits));
  await refused(good, /data\.classes: 2 names, but .* has 4 labels for each image/, {
    data: { ...named, train: good, test: good },
  });
  await refused(good, /task\.name: it needs rows of labels to learn/, { data: { name: "mnist" } });
});
