import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { train } from "../../src/runner/train.ts";
import { random } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { FileWriter } from "../fixtures/onnx/file-writer.ts";

const root = t.testdir();
const [height, width, classes] = [6, 4, 3];

/** Classes of pixels by three levels of brightness, which one convolution can tell. */
const images = (count: number) =>
  Uint8Array.from(random(count, "pixels", [count * height * width]), (value) => Math.round(127.5 * (value + 1)));
const masks = (count: number) => images(count).map((pixel) => Math.floor(pixel / 86));
const data = join(root, "masks.npz");
const arrays = (part: string, count: number) => ({
  [`${part}_images`]: npy("|u1", [count, height, width], images(count)),
  [`${part}_labels`]: npy("|u1", [count, height, width], masks(count)),
});
writeFileSync(data, npz({ ...arrays("train", 48), ...arrays("test", 16) }));

/** A network of two convolutions whose output is as a framework gives it. */
function networkFile(name: string, { last, softmax }: { last: boolean; softmax: number | null }): string {
  const file = new FileWriter(17);
  const image = file.input("images", [1, height, width]);
  const conv = (x: string, inputs: number, outputs: number) =>
    file.op("Conv", [x, file.floats([outputs, inputs, 1, 1]), file.floats([outputs])], { kernel_shape: [1, 1] });
  const logits = conv(file.op("Relu", [conv(image, 1, 8)]), 8, classes);
  const given = last ? file.op("Transpose", [logits], { perm: [0, 2, 3, 1] }) : logits;
  const path = join(root, `${name}.onnx`);
  writeFileSync(path, file.file(softmax === null ? given : file.op("Softmax", [given], { axis: softmax })));
  return path;
}

const run = (file: string, folder: string) =>
  train(
    {
      name: "pixels",
      data: { name: "npz", train: data, test: data, batchSize: 8 },
      network: { file },
      task: { name: "segmentation" },
      method: { name: "fixed", weights: 8, activations: 8 },
      training: { epochs: 8, weights: { optimizer: "adam", learningRate: 0.02 } },
      export: { latency: false },
    },
    { folder: join(root, folder) },
  );

t.test("a network out of a file learns a class for each pixel", { timeout: 120_000 }, async (t) => {
  const cases = {
    plain: { last: false, softmax: null },
    softmax: { last: false, softmax: 1 },
    last: { last: true, softmax: null },
  };
  for (const [name, how] of Object.entries(cases)) {
    const { result, exports } = await run(networkFile(name, how), name);
    t.ok(result!.metrics.miou! > 60, `${name}: ${result!.metrics.miou}`);
    t.ok(exports[0]!.verification, name);
  }
});

t.test("what gives no class for each pixel is refused", async (t) => {
  await t.rejects(run(networkFile("channels", { last: true, softmax: 3 }), "refused"), {
    message: /it ends in a softmax: let it end before that/,
  });
  const pooled = new FileWriter(17);
  const x = pooled.op("Conv", [pooled.input("images", [1, height, width]), pooled.floats([classes, 1, 1, 1])], {});
  const file = join(root, "pooled.onnx");
  writeFileSync(file, pooled.file(pooled.op("Flatten", [pooled.op("GlobalAveragePool", [x])])));
  await t.rejects(run(file, "pooled"), {
    message: /its output is \[batch, 3\], expected 3 classes for each of 6 x 4 pixels/,
  });
});

t.test(
  "zeros around an image of logits stay, a softmax over rows is none of classes",
  { timeout: 120_000 },
  async (t) => {
    const padded = new FileWriter(17);
    const image = padded.input("images", [1, height, width]);
    const inside = padded.op("Conv", [image, padded.floats([classes, 1, 3, 3])], { kernel_shape: [3, 3] });
    const path = join(root, "padded.onnx");
    writeFileSync(path, padded.file(padded.op("Pad", [inside, padded.integers([0, 0, 1, 1, 0, 0, 1, 1])])));
    const { exports } = await run(path, "padded");
    t.ok(exports[0]!.verification);
    await t.rejects(run(networkFile("rows", { last: true, softmax: 1 }), "rows"), { message: /it ends in a softmax/ });
  },
);
