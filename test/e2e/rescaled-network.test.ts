import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { encodeModelProto, readModel } from "../../src/onnx/onnx-model.ts";
import { runHere } from "../fixtures/program-here.ts";

const fixtures = join(import.meta.dirname, "../fixtures/rescaled");
const folder = t.testdir();

/** A trained network (all 128 images right in float32) with the weights of its two layers multiplied. */
function rescaled(name: string, first: number, second: number): string {
  const model = readModel(readFileSync(join(fixtures, "plain.onnx")), "plain.onnx");
  for (const tensor of model.graph.initializer) {
    const factor = tensor.name === "w1" ? first : second;
    const values = new Float32Array(Uint8Array.from(tensor.rawData).buffer).map((value) => factor * value);
    tensor.rawData = new Uint8Array(values.buffer);
  }
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, encodeModelProto(model));
  return file;
}

const images = join(fixtures, "images.npz");
const config = join(folder, "run.yaml");
writeFileSync(
  config,
  JSON.stringify({
    name: "rescaled",
    data: {
      ...{ name: "npz", train: images, test: images, batchSize: 64 },
      normalization: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
    },
    network: { file: "set below" },
    method: { name: "fixed", weights: 8, activations: 8 },
    training: { epochs: 1 },
  }),
);

const train = (file: string) =>
  runHere("train", config, "--set", `network.file=${file}`, "--out", join(folder, "run"), "--force", "--json");

const files = {
  "weights of the last layer that are all below zero": join(fixtures, "negative.onnx"),
  "weights of a millionth, and millions behind them": join(fixtures, "small.onnx"),
  "the factors 2^-14 and 2^14": rescaled("small", 2 ** -14, 2 ** 14),
  "the factors 300 and 1/300": rescaled("large", 300, 1 / 300),
  "the factors 1/3000 and 3000": rescaled("uneven", 1 / 3000, 3000),
};

for (const [what, file] of Object.entries(files)) {
  t.test(`${what} change nothing at 8 bits`, async (t) => {
    const { code, stdout, stderr } = await train(file);
    t.equal(code, 0, stderr);
    const { top1 } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    t.ok(top1 >= 99.5, `${top1} %`);
  });
}

t.test("a tensor of zeros is named before the first step", async (t) => {
  const { code, stderr } = await train(rescaled("zero", 1, 0));
  t.equal(code, 1);
  t.match(stderr, /the range of y\.weight\.quantizer has no start: its tensor holds only zeros/);
});
