import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { ImageDataset, ImageShape } from "../../src/data/dataset.ts";
import { chooseNormalization } from "../../src/preview/choose-normalization.ts";
import { encodePlain, node } from "../fixtures/onnx/plain-model.ts";
import { splitOf, trainingSplitOf } from "../fixtures/splits.ts";
import { classifying, classTargets } from "../fixtures/tasks.ts";

const shape: ImageShape = [4, 4, 1];
const count = 60;

/** Dark gray images of the first class, bright gray ones of the second; nearly the same but for their sign around 0.5. */
const labels = Array.from({ length: count }, (_, image) => image % 2);
const set = {
  count,
  images: Uint8Array.from(
    { length: 16 * count },
    (_, at) => (labels[Math.floor(at / 16)] === 0 ? 117 : 138) + (at % 3),
  ),
  targets: classTargets(labels),
};
const dataset: ImageDataset = {
  name: "made",
  imageShape: shape,
  targets: { kind: "classes", names: ["dark", "bright"] },
  normalization: { mean: [0.449], deviation: [0.226] },
  train: trainingSplitOf(set, shape, 1),
  validation: null,
  test: splitOf(set, shape),
  files: [],
  images: null,
  damaged: () => [],
  close: async () => {},
};

/** A network whose logits are `weights` times the mean of the normalised pixels. */
function fileWith(weights: readonly [number, number]): string {
  const path = join(t.testdir(), `${weights.join("_")}.onnx`);
  const model = encodePlain({
    opset: 17,
    nodes: [
      node("GlobalAveragePool", ["images"], "mean"),
      node("Conv", ["mean", "weight"], "conv"),
      node("Flatten", ["conv"], "logits"),
    ],
    tensors: [{ name: "weight", dims: [2, 1, 1, 1], dataType: 1, floatData: weights }],
    inputs: [{ name: "images", shape: ["batch", 1, 4, 4] }],
    outputs: [{ name: "logits", shape: ["batch", 2] }],
  });
  writeFileSync(path, model);
  return path;
}

t.test("a trained file gets the normalization with which it answers best", async (t) => {
  const chosen = await chooseNormalization(fileWith([-1, 1]), dataset, classifying(2));
  t.strictSame(chosen.setting, { mean: [0.5], deviation: [0.5] });
  t.match(chosen, { label: "less 0.5, over 0.5", isTrained: true, metrics: { top1: 100 }, images: count });
});

t.test("of a file that answers at random nothing is believed", async (t) => {
  const chosen = await chooseNormalization(fileWith([1, 1]), dataset, classifying(2));
  t.match(chosen, { setting: undefined, isTrained: false, metrics: { top1: 50 } });
});
