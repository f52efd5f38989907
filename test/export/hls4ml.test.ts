import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lower } from "../../src/export/onnx/lower.ts";
import { Reference } from "../../src/export/reference.ts";
import { batchOf, floats } from "../../src/export/test-batches.ts";
import { largestIndex } from "../../src/tasks/classification/largest-index.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { onnxPython, onnxPythonMissing } from "../fixtures/onnx-python.ts";
import { withoutMnist } from "../fixtures/real-mnist.ts";
import { trainedLenet5 } from "../fixtures/trained-lenet5.ts";

const images = 200;
const input = "float";

// The compiler takes half a minute over it.
const long = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const skip = (!long && "a long check: npm run test:export") || onnxPythonMissing() || (await withoutMnist());

t.test("hls4ml compiles a LeNet-5 that has learned MNIST, and predicts what the trainer does", { skip }, async (t) => {
  const { ops } = await anyEngine();
  const { network, test } = await trainedLenet5(ops, { images, bits: [4, 8] });
  const folder = t.testdir();
  const [file, raw] = [join(folder, "model.onnx"), join(folder, "images.raw")];
  writeFileSync(file, lower(network, "qonnx", { input, metadata: {} }).bytes);
  const { forFile, normalized } = batchOf(test, { network, ops, input });
  writeFileSync(raw, new Uint8Array(forFile.buffer, forFile.byteOffset, forFile.byteLength));
  const { status, stdout, stderr } = spawnSync(
    onnxPython,
    ["scripts/onnx-python/hls4ml_predict.py", file, raw, String(images), join(folder, "project")],
    { encoding: "utf8" },
  );
  t.equal(status, 0, stderr);
  const predicted = JSON.parse(stdout) as readonly number[];

  const reference = new Reference(ops, network);
  const logits = ops.scope(
    () => floats(ops, reference.logits(ops.tensor(normalized, [images, ...network.nodes[0]!.outputShape]))),
    () => [],
  );
  reference.release();
  t.equal(predicted.length, logits.length);
  const [ours, theirs] = [classesOf(logits), classesOf(predicted)];
  const right = (classes: readonly number[]) => classes.filter((one, image) => one === test.labels[image]).length;
  const same = ours.filter((one, image) => one === theirs[image]).length;
  const largest = Math.max(...logits.map(Math.abs));
  const errors = logits.map((value, at) => Math.abs(value - predicted[at]!) / largest);
  const farthest = Math.max(...errors);
  const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
  t.comment(
    `${images} digits: the same class for ${same}; ${right(ours)} right, ${right(theirs)} by hls4ml; ` +
      `outputs ${(100 * mean).toFixed(3)} % of the largest apart in the mean, ${(100 * farthest).toFixed(2)} % at most`,
  );
  t.ok(right(ours) >= 0.9 * images, "it has learned digits");
  t.ok(same >= 0.99 * images, "the same class for 99 % of them");
  t.ok(Math.abs(right(theirs) - right(ours)) <= 0.01 * images, "as many are right");
  t.ok(mean <= 0.001 && farthest <= 0.005, "outputs are 0.1 % of the largest apart in the mean, 0.5 % at most");
});

/** The class of each image. */
function classesOf(logits: ArrayLike<number>): readonly number[] {
  const classes = logits.length / images;
  return Array.from({ length: images }, (_, image) => largestIndex(logits, image * classes, classes));
}
