import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { exportRun } from "../../src/runner/export-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { writeBrightImages } from "../fixtures/bright-images.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { encodePlain, layer } from "../fixtures/onnx/plain-model.ts";
import { smallClassifier } from "../fixtures/onnx/small-classifier.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 24, test: 10 });
const student = join(root, "student.onnx");
writeFileSync(student, smallClassifier(10));

type Loss = NonNullable<NonNullable<RunSettings["training"]>["loss"]>;

const settings = (loss: Loss | undefined, more: Partial<RunSettings> = {}): RunSettings => ({
  name: "distilled",
  data: { name: "mnist", folder: data, batchSize: 8 },
  network: { file: student },
  method: { name: "fixed", weights: 4, activations: 4 },
  training: { epochs: 2, ...(loss !== undefined && { loss }) },
  export: { latency: false },
  ...more,
});

const sumOf = (folder: string) => readFileSync(runFiles(folder).model);

t.test("a quantized network learns from itself in float32", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "whole");
  const { task, epochs, result, exports, startLoss } = await train(settings("distill"), { folder });
  t.match(task.loss, { label: "divergence from the teacher", chance: Math.log(10) });
  t.match(task.metrics[0], { key: "top1", label: "top-1" }, "there are labels to judge by");
  const [first, last] = [epochs[0]!, epochs.at(-1)!];
  t.ok(last.evaluation.taskLoss < first.evaluation.taskLoss, `${last.evaluation.taskLoss}`);
  t.ok(startLoss! > 0, `${startLoss}`);
  t.equal(exports[0]!.verification!.metrics.top1, result!.metrics.top1);
  t.match(readFileSync(runFiles(folder).report, "utf8"), /Divergence from the teacher/);
  t.equal((await evaluateRun(folder)).metrics.top1, result!.metrics.top1);
  t.ok((await exportRun(folder, { form: "fp32" })).written[0]!.verification);

  await t.test("stopped on its way, it comes to the same bytes", async (t) => {
    const stop = new AbortController();
    const onStep: TrainOptions["onStep"] = ({ step }) => {
      if (step === 4) stop.abort("SIGTERM");
    };
    const part = join(root, "part");
    await t.rejects(train(settings("distill"), { folder: part, stop: stop.signal, onStep }), { name: "StoppedError" });
    const resumed = await train(settings("distill"), { folder: part, resume: true });
    t.strictSame(resumed.result, result);
    t.strictSame(resumed.epochs, epochs);
    t.ok(sumOf(part).equals(sumOf(folder)));
  });
});

t.test("with no weight on the teacher it is training with labels", { timeout: 120_000 }, async (t) => {
  const labels = await train(settings("task"), { folder: join(root, "labels") });
  const none = await train(settings({ name: "distill", weight: 0 }), { folder: join(root, "none") });
  t.strictSame([none.task, none.epochs, none.result], [labels.task, labels.epochs, labels.result]);
  const half: Loss = { name: "distill", weight: 0.5, temperature: 2 };
  const mixed = await train(settings(half), { folder: join(root, "half") });
  t.equal(mixed.task.loss.label, "0.5 · divergence from the teacher at temperature 2 + 0.5 · cross-entropy");
  t.notSame(mixed.result, labels.result);
});

/** The same network with an operator behind it that is not imported. */
function exoticTeacher(): string {
  const path = join(root, "exotic.onnx");
  const weights = Array.from({ length: 7840 }, (_, index) => Math.sin(index) / 28);
  writeFileSync(
    path,
    encodePlain({
      opset: 17,
      inputs: [{ name: "images", shape: [2, 1, 28, 28] }],
      outputs: [{ name: "probabilities", shape: [2, 10] }],
      tensors: [{ name: "weight", dims: [784, 10], dataType: 1, floatData: weights }],
      nodes: [
        layer("Flatten", ["images"], "flat"),
        layer("MatMul", ["flat", "weight"], "product"),
        layer("Softsign", ["product"], "signs"),
        layer("Softmax", ["signs"], "probabilities"),
      ],
    }),
  );
  return path;
}

t.test("a file is the teacher", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "by-file");
  const teacher = pathOf("keras-cnn");
  const { teacher: file, exports } = await train(settings({ name: "distill", teacher }), { folder });
  t.match(file, { name: "keras-cnn.onnx", bytes: 30_216, sha256: /^[0-9a-f]{64}$/ });
  t.ok(exports[0]!.verification);
  const exotic = exoticTeacher();
  const training = { epochs: 1, loss: { name: "distill" as const, teacher: exotic } };
  const { epochs } = await train(settings(undefined, { training }), { folder: join(root, "exotic") });
  t.ok(epochs[0]!.train.taskLoss > 0 && epochs[0]!.train.taskLoss < Math.log(10));
  writeFileSync(exotic, Buffer.concat([readFileSync(exotic), Buffer.from([0xba, 0x3e, 1, 0])]));
  await t.rejects(evaluateRun(join(root, "exotic")), {
    name: "UserError",
    message: /the teacher file exotic\.onnx has changed/,
  });

  const three = join(root, "three.onnx");
  writeFileSync(three, smallClassifier(3));
  await t.rejects(train(settings({ name: "distill", teacher: three }), { folder: join(root, "never") }), {
    name: "UserError",
    message: /training\.loss\.teacher .*three\.onnx gives 3 values for each sample, the network that learns from it 10/,
  });
  await t.rejects(train(settings({ name: "distill", teacher: "nowhere.onnx" }), { folder: join(root, "never") }), {
    message: /cannot read training\.loss\.teacher nowhere\.onnx/,
  });
});

t.test("values are learned by squared error over their variance", { skip: nativeMissing() }, async (t) => {
  const path = join(root, "bright.npz");
  writeBrightImages(path, { train: 64, test: 20 });
  const values: Partial<RunSettings> = {
    task: { name: "regression" },
    data: { name: "npz", train: path, test: path, batchSize: 16 },
    network: { name: "lenet5" },
  };
  const float = join(root, "float");
  const fp32 = { method: { name: "fp32" as const }, training: { epochs: 1 } };
  await train(settings(undefined, { ...values, ...fp32 }), { folder: float });
  const training = { epochs: 2, from: float, loss: "distill" as const };
  const method = { name: "bayesian-bits" as const, prior: { target: { relativeBops: 10 } } };
  const run = settings(undefined, { ...values, method, training });
  const { task, epochs, result, exports } = await train(run, { folder: join(root, "bits") });
  t.match(task.loss, { label: "squared error against the teacher", chance: 1 });
  t.ok(epochs.at(-1)!.evaluation.taskLoss < 1, "better than the mean");
  t.ok(result!.relativeBops <= 10);
  t.ok(exports[0]!.verification);
});

t.test("without a teacher there is nothing to learn from", async (t) => {
  const refused = (more: Partial<RunSettings>, message: RegExp) =>
    t.rejects(train(settings("distill", more), { folder: join(root, "never") }), { name: "UsageError", message });
  const zoo = { network: { name: "lenet5" as const } };
  await refused(zoo, /training\.from: expected the folder of a run, or network\.file, or training\.loss\.teacher/);
  await refused(
    { training: { epochs: 1, loss: "distill", pretrain: { epochs: 1 } } },
    /training\.pretrain: expected nothing beside training\.loss distill/,
  );
  await refused(
    { method: { name: "nearest" }, training: { loss: "distill" } },
    /training\.loss: expected nothing: method nearest quantizes a trained network/,
  );
});
