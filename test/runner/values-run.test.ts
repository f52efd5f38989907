import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { exportRun } from "../../src/runner/export-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { npy, npyLabels, npz } from "../fixtures/npy.ts";
import { encodePlain, int, node } from "../fixtures/onnx/plain-model.ts";
import { floats } from "../fixtures/ptq.ts";

const root = t.testdir();
const classes = 3;

/** Samples whose class is that of the row which is raised. */
function writeSamples(name: string, shape: readonly number[], labelled = true): string {
  const count = shape[0]!;
  const size = shape.slice(1).reduce((product, length) => product * length, 1);
  const values = Float32Array.from({ length: count * size }, (_, index) => {
    const [sample, place] = [Math.floor(index / size), index % size];
    return ((7 * index) % 13) / 13 + (Math.floor((place * classes) / size) === sample % classes ? 1 : 0);
  });
  const path = join(root, `${name}.npz`);
  const x = npy("<f4", shape, new Uint8Array(values.buffer));
  writeFileSync(path, npz({ x, ...(labelled && { y: npyLabels(count, classes) }) }));
  return path;
}

const settings = (data: string, network: RunSettings["network"], more: Partial<RunSettings> = {}): RunSettings => ({
  ...{ name: "values", data: { name: "npz", train: data, test: data, batchSize: 6 }, network },
  method: { name: "fixed", weights: 8, activations: 8 },
  training: { epochs: 4, weights: { optimizer: "adam", learningRate: 0.01 } },
  export: { latency: false },
  ...more,
});

/** Rows of 4 numbers, two dense layers, the batch and the rows left open. */
const file = join(root, "net.onnx");
writeFileSync(
  file,
  encodePlain({
    ...{ inputs: [{ name: "x", shape: ["n", "rows", 4] }], outputs: [{ name: "y", shape: ["n", classes] }], opset: 13 },
    nodes: [
      node("Flatten", ["x"], "flat", [int("axis", 1)]),
      // Inner nodes may have the names of what an exported file takes and gives.
      { ...node("Gemm", ["flat", "w", "b"], "h"), name: "logits" },
      { ...node("Relu", ["h"], "r"), name: "input" },
      node("Gemm", ["r", "v", "c"], "y"),
    ],
    tensors: [floats("w", [24, 8]), floats("b", [8]), floats("v", [8, classes]), floats("c", [classes])],
  }),
);

t.test("a file's network learns from samples that are no images", { timeout: 120_000 }, async (t) => {
  const data = writeSamples("rows", [24, 6, 4]);
  const folder = join(root, "whole");
  const run = settings(data, { file });
  const { data: described, result, exports } = await train(run, { folder });
  t.match(described, { imageShape: [6, 4], values: true, normalization: null });
  t.strictSame(
    result!.layers.map(({ inputBits }) => inputBits),
    [32, 8],
    "floats count as what they are",
  );
  t.equal(exports[0]!.verification!.metrics.top1, result!.metrics.top1);
  t.match(readFileSync(runFiles(folder).report, "utf8"), /24 training, 24 test samples|24 test samples/);
  t.equal((await evaluateRun(folder)).metrics.top1, result!.metrics.top1);
  for (const form of ["int8", "packed", "fp32", "qonnx"] as const)
    t.ok((await exportRun(folder, { form })).written[0]!.verification, form);
  await t.rejects(exportRun(folder, { form: "tflite" }), /take \[height, width, channels\], .* reads \[6, 4\]/);

  await t.test("stopped on its way, it comes to the same bytes", async (t) => {
    const stop = new AbortController();
    const onStep: TrainOptions["onStep"] = ({ step }) => {
      if (step === 5) stop.abort("SIGTERM");
    };
    const part = join(root, "part");
    await t.rejects(train(run, { folder: part, stop: stop.signal, onStep }), { name: "StoppedError" });
    const resumed = await train(run, { folder: part, resume: true });
    t.strictSame(resumed.result, result);
    t.ok(readFileSync(runFiles(part).model).equals(readFileSync(runFiles(folder).model)));
  });
});

t.test(
  "without labels it learns from itself, or is quantized; images of floats go into the zoo",
  { timeout: 120_000 },
  async (t) => {
    const unlabelled = writeSamples("unlabelled", [24, 6, 4], false);
    const { task } = await train(settings(unlabelled, { file }), { folder: join(root, "unlabelled") });
    t.match(task.loss.label, /teacher/);
    for (const name of ["bit-split", "product-quantization"] as const) {
      const untrained = settings(unlabelled, { file }, { method: { name }, training: {} });
      t.ok((await train(untrained, { folder: join(root, name) })).exports[0]!.verification, name);
    }
    const images = writeSamples("images", [12, 28, 28, 1]);
    const folder = join(root, "zoo");
    const zoo = settings(images, { name: "lenet5" }, { training: { epochs: 1 } });
    t.ok((await train(zoo, { folder })).exports[0]!.verification);
  },
);

t.test("what does not fit values is refused", async (t) => {
  const data = writeSamples("refused", [24, 6, 4]);
  const fails = (run: RunSettings, message: RegExp) => t.rejects(train(run, { folder: join(root, "none") }), message);
  const crop = { crop: { padding: 2 } };
  const npzOf = (more: object) => ({ data: { name: "npz" as const, train: data, test: data, ...more } });
  await fails(settings(data, { file }, npzOf({ augmentation: crop })), /data\.augmentation: images are cropped/);
  await fails(settings(data, { file }, npzOf({ normalization: "measured" })), /data\.normalization: floats go into/);
  await fails(settings(data, { name: "lenet5" }), /lenet5 takes samples of \[height, width, channels\], .* \[6, 4\]/);
  await fails(settings(writeSamples("wide", [6, 6, 5]), { file }), /its input "x" is \[batch, \?, 4\], .* \[6, 5\]/);
});
