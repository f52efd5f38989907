import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ort } from "../../src/core/onnx-runtime.ts";
import { DatasetModel } from "../../src/export/dataset-model.ts";
import { train } from "../../src/runner/train.ts";
import { random } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { textFile } from "../fixtures/onnx/text-file.ts";

const root = t.testdir();
const [file, data] = [join(root, "texts.onnx"), join(root, "texts.npz")];
const [length, vocabulary, units] = [6, 11, 4];
writeFileSync(file, textFile({ length, vocabulary, units }));

/** Texts of all lengths, padded with 0. */
function texts(count: number): Uint8Array {
  const tokens = random(count, "tokens", [count * length]).map((value, index) =>
    index % length > Math.floor(index / length) % length ? 0 : 1 + Math.floor(((value + 1) / 2) * (vocabulary - 1)),
  );
  return new Uint8Array(Int32Array.from(tokens).buffer);
}
writeFileSync(
  data,
  npz({ train_images: npy("<i4", [24, length], texts(24)), test_images: npy("<i4", [12, length], texts(12)) }),
);

t.test("a text encoder out of a file learns its bits from itself", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "run");
  const settings = {
    name: "texts",
    data: { name: "npz" as const, train: data, test: data, batchSize: 8 },
    network: { file },
    task: { name: "regression" as const },
    method: { name: "bayesian-bits" as const },
    training: { epochs: 2, weights: { optimizer: "adam" as const, learningRate: 1e-5 } },
    export: { latency: false as const },
  };
  const record = await train(settings, { folder });
  t.match(record.task, { judge: "teacher" });
  const [exported] = record.exports;
  t.strictSame(
    record.quantizers.filter(({ id }) => !id.includes("MatMul") && !id.includes("weight")).map(({ id }) => id),
    ["Add_2.quantizer", "Add_15.softmax.quantizer"],
    "what is made of masks alone is exact",
  );
  t.same(
    exported?.verification?.layers.filter(({ equalCodes }) => equalCodes !== 100),
    [],
  );
  t.ok(record.quantizers.length > 8, "tables, layers, and both sides of each product");
  const session = await ort.InferenceSession.create(join(folder, exported!.file));
  t.strictSame(session.inputNames, ["input"], "the mask is made in the file");
  await session.release();

  const dataset = {
    ...{
      name: "texts",
      imageShape: [length],
      normalization: null,
      targets: { kind: "values", outputs: units } as const,
    },
    tokens: { vocabulary, tokenizer: null },
  };
  const [own, learned] = await Promise.all(
    [file, join(folder, exported!.file)].map(async (path) => {
      const model = await DatasetModel.open(path, dataset);
      const outputs = await model.outputs({ count: 12, images: texts(12) });
      await model.release();
      return outputs;
    }),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const errors = Array.from(own!, (value, index) => Math.abs(value - learned![index]!));
  t.equal(errors.length, 12 * units);
  t.ok(mean(errors) < 0.2 * mean(Array.from(own!, Math.abs)), "both take the same texts");
});
