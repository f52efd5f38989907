import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { random } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { encodePlain, int, ints, node } from "../fixtures/onnx/plain-model.ts";

const root = t.testdir();
const weights = (name: string, rows: number, columns: number) => ({
  ...{ name, dims: [rows, columns], dataType: 1 },
  floatData: Array.from(random(rows + columns, name, [rows * columns]), (value) => value / Math.sqrt(rows)),
});

/** Classes as probabilities, and two values that are much larger. */
const file = join(root, "two.onnx");
writeFileSync(
  file,
  encodePlain({
    opset: 17,
    inputs: [{ name: "images", shape: ["b", 1, 4, 4] }],
    outputs: [
      { name: "classes", shape: ["b", 3] },
      { name: "values", shape: ["b", 2] },
    ],
    tensors: [weights("w1", 16, 8), weights("w2", 8, 3), weights("w3", 8, 2)],
    nodes: [
      node("Flatten", ["images"], "flat"),
      node("MatMul", ["flat", "w1"], "hidden"),
      node("Relu", ["hidden"], "features"),
      node("MatMul", ["features", "w2"], "scores"),
      node("Softmax", ["scores"], "classes"),
      node("MatMul", ["features", "w3"], "values"),
    ],
  }),
);
const data = join(root, "unlabelled.npz");
const images = (count: number) =>
  npy(
    "|u1",
    [count, 4, 4],
    Uint8Array.from(random(count, "pixels", [count * 16]), (value) => Math.round(127.5 * (value + 1))),
  );
writeFileSync(data, npz({ train_images: images(24), test_images: images(10) }));

const settings = (more: Partial<RunSettings> = {}): RunSettings => ({
  name: "two",
  task: { name: "regression" },
  data: { name: "npz", train: data, test: data, batchSize: 8 },
  network: { file },
  method: { name: "fixed", weights: 4, activations: 8 },
  training: { epochs: 2 },
  export: { latency: false },
  ...more,
});

t.test("all outputs of a network are learned together", { timeout: 120_000 }, async (t) => {
  const whole = await train(settings(), { folder: join(root, "whole") });
  t.strictSame(whole.data.targets, { kind: "values", outputs: 5 });
  t.match(whole.task.loss, { label: "distance from the teacher's 2 outputs", chance: 1 + Math.log(3) });
  t.ok(whole.epochs.at(-1)!.evaluation.taskLoss < 0.5, `${whole.epochs.at(-1)!.evaluation.taskLoss}`);
  t.ok(whole.exports[0]!.verification);
  const stop = new AbortController();
  const onStep: TrainOptions["onStep"] = ({ step }) => {
    if (step === 2) stop.abort("SIGTERM");
  };
  const folder = join(root, "part");
  await t.rejects(train(settings(), { folder, stop: stop.signal, onStep }), { name: "StoppedError" });
  t.strictSame((await train(settings(), { folder, resume: true })).result, whole.result);

  const teacher = { epochs: 1, loss: { name: "distill" as const, teacher: file } };
  const { teacher: taken } = await train(settings({ training: teacher }), { folder: join(root, "teacher") });
  t.match(taken, { name: "two.onnx" });
});

t.test("several outputs are no classes", async (t) => {
  await t.rejects(train(settings({ task: { name: "classification" } }), { folder: join(root, "no") }), {
    name: "UserError",
    message: /it has 2 outputs \("classes", "values"\), expected one: .* for task\.name regression/,
  });
});

t.test(
  "an output of any shape is learned, and keeps its shape in the exported file",
  { timeout: 120_000 },
  async (t) => {
    const image = join(root, "image.onnx");
    const conv = (name: string, channels: number) => ({
      ...{ name, dims: [channels, channels === 3 ? 1 : 3, 3, 3], dataType: 1 },
      floatData: [...random(channels, name, [9 * 3 * (channels === 3 ? 1 : channels)])],
    });
    const padded = [ints("pads", [1, 1, 1, 1])];
    writeFileSync(
      image,
      encodePlain({
        opset: 17,
        inputs: [{ name: "images", shape: ["b", 1, "h", "w"] }],
        outputs: [
          { name: "picture", shape: ["b", "c", "h", "w"] },
          { name: "sums", shape: ["b", 3, "w"] },
        ],
        tensors: [conv("k1", 3), conv("k2", 2)],
        nodes: [
          node("Conv", ["images", "k1"], "features", padded),
          node("Relu", ["features"], "positive"),
          node("Conv", ["positive", "k2"], "picture", padded),
          node("Transpose", ["picture"], "turned", [ints("perm", [0, 2, 3, 1])]),
          node("ReduceMean", ["positive"], "sums", [ints("axes", [2]), int("keepdims", 0)]),
        ],
      }),
    );
    const shapes = { picture: [2, 4, 4], turned: [4, 4, 2] };
    for (const [name, shape] of Object.entries(shapes)) {
      const network = { file: image, outputs: [name] };
      const folder = join(root, name);
      const record = await train(settings({ network }), { folder });
      t.strictSame(record.data.targets, { kind: "values", outputs: 32 });
      const exported = join(folder, record.exports[0]!.file);
      const session = await FileSession.load(exported, exported);
      t.strictSame(session.outputs[0]!.shape.slice(1), shape);
      await session[Symbol.asyncDispose]();
    }
    const both = await train(settings({ network: { file: image, outputs: ["picture", "sums"] } }), {
      folder: join(root, "both"),
    });
    t.strictSame(both.data.targets, { kind: "values", outputs: 32 + 12 });
    t.ok(both.exports[0]!.verification);
  },
);
