import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lower } from "../../src/export/onnx/lower.ts";
import { Reference } from "../../src/export/reference.ts";
import { batchOf, floats } from "../../src/export/test-batches.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { onnxPython, onnxPythonMissing } from "../fixtures/onnx-python.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../fixtures/random-models.ts";
import { whole } from "../fixtures/splits.ts";

const images = 20;
const input = "float";

// The compiler takes half a minute over it.
const long = process.env.BAYESIAN_BITS_EXPORT_CASES !== undefined;
const skip = onnxPythonMissing() || (!long && "a long check: npm run test:export");

t.test("hls4ml reads a LeNet-5, compiles it with g++ and predicts what the trainer does", { skip }, async (t) => {
  const { ops } = await anyEngine();
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 19, bits: [4, 8], pruned: 0 });
  const network = freezeModel(model);
  disposeModel(model);
  const folder = t.testdir();
  const [file, raw] = [join(folder, "model.onnx"), join(folder, "images.raw")];
  writeFileSync(file, lower(network, "qonnx", { input, metadata: {} }).bytes);
  const { forFile, normalized } = batchOf(await whole(randomImages(network, images)), { network, ops, input });
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
  const largest = Math.max(...logits.map(Math.abs));
  const errors = logits.map((value, at) => Math.abs(value - predicted[at]!) / largest);
  // What another image's outputs are off by.
  const classes = network.classes.length;
  const others = logits.map((_, at) => Math.abs(logits[(at + classes) % logits.length]! - predicted[at]!) / largest);
  t.comment(
    `of the largest output: ${Math.max(...errors)} at most, ${mean(errors)} in the mean; others ${mean(others)}`,
  );
  t.ok(Math.max(...errors) <= 0.05, "no output is off by more than 5 % of the largest");
  t.ok(mean(errors) <= 0.01, "nor by more than 1 % in the mean");
  t.ok(mean(others) >= 2 * mean(errors), "the images are told apart");
});

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
