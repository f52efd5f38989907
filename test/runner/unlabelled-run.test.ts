import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { RunSettings } from "../../src/config/schema.ts";
import { estimateRuns } from "../../src/memory/run-memory.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { writeBrightImages } from "../fixtures/bright-images.ts";
import { random } from "../fixtures/engines.ts";
import { picture } from "../fixtures/image-folder.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { smallClassifier } from "../fixtures/onnx/small-classifier.ts";
import { recordingReporter } from "../fixtures/reporter.ts";

const root = t.testdir();
const student = join(root, "student.onnx");
writeFileSync(student, smallClassifier(3));

const bytes = (count: number) =>
  Uint8Array.from(random(count, "pixels", [count * 784]), (value) => Math.round(127.5 * (value + 1)));
const unlabelled = join(root, "unlabelled.npz");
writeFileSync(
  unlabelled,
  npz({ train_images: npy("|u1", [24, 28, 28], bytes(24)), test_images: npy("|u1", [10, 28, 28], bytes(10)) }),
);

const settings = (more: Partial<RunSettings> = {}): RunSettings => ({
  name: "unlabelled",
  data: { name: "npz", train: unlabelled, test: unlabelled, batchSize: 8 },
  network: { file: student },
  method: { name: "fixed", weights: 4, activations: 8 },
  training: { epochs: 1 },
  export: { latency: false },
  ...more,
});

t.test("images without labels are learned from a teacher, which judges too", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "run");
  const record = await train(settings(), { folder });
  const { task, data, result, findings, exports } = record;
  t.match(task, { judge: "teacher", loss: { label: "divergence from the teacher" } });
  t.match(task.metrics[0], { key: "top1", label: "top-1 agreement with the teacher" });
  t.strictSame(data.targets, { kind: "classes", names: ["0", "1", "2"] });
  t.equal(exports[0]!.verification!.metrics.top1, result!.metrics.top1);
  const confusion = findings?.task === "classification" ? findings.confusion : [];
  const right = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
  t.equal(10 * right, result!.metrics.top1, "ten images, by the teacher's classes");
  const report = readFileSync(runFiles(folder).report, "utf8");
  t.match(report, /as its teacher does/);
  t.match(report, /what the teacher, the same network in float32, says of it counts as right/);
  t.match(report, /3 classes, as the teacher has them/);
  t.equal((await evaluateRun(folder)).metrics.top1, result!.metrics.top1);

  const stop = new AbortController();
  const onStep: TrainOptions["onStep"] = ({ step }) => {
    if (step === 1) stop.abort("SIGTERM");
  };
  const part = join(root, "part");
  await t.rejects(train(settings(), { folder: part, stop: stop.signal, onStep }), { name: "StoppedError" });
  t.strictSame((await train(settings(), { folder: part, resume: true })).result, result);

  await t.test("a method that trains nothing is judged by the float network", async (t) => {
    const nearest = { method: { name: "nearest" as const, calibration: { images: 8 } }, training: {} };
    const { postTraining, result } = await train(settings(nearest), { folder: join(root, "nearest") });
    t.equal(postTraining!.floatMetrics.top1, 100, "which agrees with itself");
    t.ok(result!.metrics.top1! > 0);
  });

  await t.test("the run that it starts from tells the classes", async (t) => {
    const training = { epochs: 1, from: folder };
    const second = join(root, "second");
    const { data, result } = await train(settings({ training }), { folder: second });
    t.strictSame(data.targets, record.data.targets);
    renameSync(folder, `${folder}-moved`);
    t.strictSame((await evaluateRun(second)).metrics, result!.metrics, "and may go then");
    renameSync(`${folder}-moved`, folder);
  });

  await t.test("memory is estimated", async (t) => {
    const run = { name: "run", config: parseConfig(settings()) };
    t.ok((await estimateRuns([run], recordingReporter())).get("run")!.bytes > 0);
  });
});

t.test("a folder needs no class folders then", { timeout: 120_000 }, async (t) => {
  const plain = join(root, "plain");
  for (const [part, count] of [
    ["train", 8],
    ["val", 4],
  ] as const) {
    mkdirSync(join(plain, part), { recursive: true });
    for (let image = 0; image < count; image++)
      writeFileSync(join(plain, part, `${image}.png`), await picture(image, image, "png", 28));
  }
  const data = { name: "folder" as const, folder: plain, size: 28, channels: 1 as const, batchSize: 4, workers: 1 };
  const { data: found, task } = await train(settings({ data }), { folder: join(root, "folder") });
  t.strictSame([found.trainImages, found.testImages, task.judge], [8, 4, "teacher"]);
  const inTrain = { ...data, folder: join(plain, "train"), testShare: 0.25 };
  const { data: shared } = await train(settings({ data: inTrain }), { folder: join(root, "share") });
  t.strictSame([shared.trainImages, shared.testImages], [6, 2]);
  await t.rejects(train(settings({ data: { ...data, folder: join(plain, "train") } }), { folder: join(root, "no") }), {
    message: /data\.testShare: .* say which share of the images is for tests/,
  });
  const labels = settings({ data, training: { epochs: 1, loss: "task" } });
  await t.rejects(train(labels, { folder: join(root, "no") }), {
    message: /no class folder in it, expected one per class; images without classes are for .*training\.loss: distill/,
  });
});

t.test("labels are asked for where something else is lowered", async (t) => {
  const refused = (more: Partial<RunSettings>, message: RegExp) =>
    t.rejects(train(settings(more), { folder: join(root, "no") }), { name: /Error/, message });
  const missing = /it has no train labels: .*; without labels, a network learns from a teacher alone/;
  await refused({ training: { epochs: 1, loss: "task" } }, missing);
  await refused({ training: { epochs: 1, loss: { name: "distill", weight: 0.5 } } }, missing);
  await refused({ network: { name: "lenet5" } }, missing);
  const other = { task: { name: "regression" as const }, training: { epochs: 1, from: join(root, "run") } };
  await refused(other, /task\.name: it gives values, and training\.from .* has learned classes/);
});

t.test("of values the metric is how much of the teacher's is explained", async (t) => {
  const labelled = join(root, "bright.npz");
  writeBrightImages(labelled, { train: 32, test: 10 });
  const values = join(root, "values.npz");
  writeFileSync(
    values,
    npz({
      train_images: npy("|u1", [32, 16, 16], bytes(11).slice(0, 8192)),
      test_images: npy("|u1", [8, 16, 16], bytes(4).slice(0, 2048)),
    }),
  );
  const task = { name: "regression" as const };
  const float = join(root, "float");
  const network = { name: "lenet5" as const };
  const data = { name: "npz" as const, train: labelled, test: labelled, batchSize: 8 };
  await train(settings({ task, data, network, method: { name: "fp32" } }), { folder: float });
  const training = { epochs: 1, from: float };
  const own = { ...data, train: values, test: values };
  const { task: described, result } = await train(settings({ task, data: own, network, training }), {
    folder: join(root, "of-values"),
  });
  t.strictSame(
    described.metrics.map(({ key, label }) => [key, label]),
    [
      ["r2", "R² against the teacher"],
      ["rmse", "RMSE against the teacher"],
      ["mae", "MAE against the teacher"],
    ],
  );
  t.ok(result!.metrics.r2! <= 1 && result!.taskLoss > 0);
});
