import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { loadQuantize } from "../../src/config/load-quantize.ts";
import type { QuantizeSettings } from "../../src/config/quantize-schema.ts";
import { ort } from "../../src/core/onnx-runtime.ts";
import { encodeModel, inOneFile } from "../../src/onnx/encode-model.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { folderData } from "../../src/ptq/folder-data.ts";
import { evaluateOnnx } from "../../src/runner/evaluate-onnx.ts";
import { quantizeFile } from "../../src/runner/quantize-file.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { floats, sampleArray } from "../fixtures/ptq.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
let runs = 0;

/** Quantizes into a folder of its own. */
async function run(settings: QuantizeSettings) {
  const folder = join(root, `run-${++runs}`);
  return { folder, record: await quantizeFile(settings, { folder }) };
}

const cnn = { file: pathOf("pytorch-cnn-legacy") };
const raw = (values: Float32Array) => new Uint8Array(values.buffer);
const written = (name: string, content: string | Uint8Array): string => {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
};

t.test("a .npy file for the only input, and the labels of a .npz", async (t) => {
  const { data } = sampleArray("images", [12, 1, 28, 28]);
  const values = npy("<f4", [12, 1, 28, 28], raw(Float32Array.from(data as Float32Array)));
  const alone = await run({ network: cnn, data: { samples: written("samples.npy", values) } });
  t.match(alone.record, { calibrated: 9, comparison: { samples: 3, outputs: [{ top1: null, top1Float: null }] } });
  await using session = await FileSession.load(cnn.file, cnn.file);
  const images = Float32Array.from(data as Float32Array);
  const logits = (await session.run({ images: new ort.Tensor("float32", images, [12, 1, 28, 28]) })).get("logits")!;
  const classes = Array.from({ length: 12 }, (_, row) => {
    const own = Array.from(logits.data.slice(10 * row, 10 * (row + 1)), Number);
    return own.indexOf(Math.max(...own));
  });
  const labels = npy("|u1", [12], Uint8Array.from(classes));
  const path = written("labels.npz", npz({ images: values, labels }));
  const { record } = await run({ network: cnn, data: { samples: path } });
  const [output] = record.comparison!.outputs;
  // Labelled with what the file that goes in says, all of its own are right.
  t.match(output, { top1: output!.agreement, top1Float: 100 });
  t.type(output!.agreement, "number");
  t.strictSame(record.layers, alone.record.layers, "labels are no input");
  const beyond = npy("|u1", [12], new Uint8Array(12).fill(77));
  const other = await run({
    network: cnn,
    data: { samples: written("beyond.npz", npz({ images: values, labels: beyond })) },
  });
  t.match(other.record.comparison!.outputs, [{ top1: null }]);
  t.match(other.record.notes.at(-1), /no output has a number for each class of the labels/);
});

t.test("a data set: calibrated on training images, compared on all test images, top-1 of both", async (t) => {
  const folder = writeSmallMnist(join(root, "mnist"), { train: 100, test: 40 });
  const data = { name: "mnist", folder } as const;
  const { record, folder: out } = await run({ network: cnn, data, calibration: { samples: 30 } });
  t.match(record, { calibrated: 30, comparison: { samples: 40 } });
  const [output] = record.comparison!.outputs;
  for (const [file, top1] of [
    [cnn.file, output!.top1Float],
    [join(out, "model.onnx"), output!.top1],
  ] as const) {
    const { metrics } = await evaluateOnnx(file, { data });
    t.equal(metrics.top1, top1, `${file}: as evaluate counts it`);
  }
  t.ok(output!.sqnrDb! > 30, `${output!.sqnrDb} dB`);
  t.match(record.notes[0], /pixels are given from 0 to 1, less 0, over 1, as is usual for these images/);
  const settings = loadQuantize(join(out, "quantize.yaml"));
  t.match(settings, {
    data: { normalization: { mean: [0], deviation: [1] } },
    input: { layout: "nchw", range: "unit" },
  });
  const again = await run(settings);
  t.same(readFileSync(join(again.folder, "model.onnx")), readFileSync(join(out, "model.onnx")));
  t.notMatch(again.record.notes.join(), /as is usual/, "what is said is not guessed");
  const fewer = await run({ network: cnn, data: { ...data, limit: { test: 7 } } });
  t.equal(fewer.record.comparison!.samples, 7);
  t.equal(fewer.record.calibrated, 100, "there are no 512");
});

/** What a file of one sum of all pixels of each channel gives, which tells apart where they lie. */
const sums = (shape: readonly (number | string)[], type: 1 | 2) =>
  encodePlain({
    opset: 13,
    nodes: [
      { opType: "Cast", input: ["image"], output: ["float"], attribute: [{ name: "to", type: 2, i: 1 }] },
      { opType: "Reshape", input: ["float", "rows"], output: ["row"] },
      { opType: "MatMul", input: ["row", "weight"], output: ["logits"] },
    ],
    inputs: [{ name: "image", type, shape: [...shape] }],
    outputs: [{ name: "logits" }],
    tensors: [
      { name: "rows", dims: [2], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(0n, 108n).buffer) },
      floats("weight", [108, 10]),
    ],
  });

t.test("a folder of images gets size, channels and layout of the input", async (t) => {
  const classes = await writeImageFolder(join(root, "classes"), { parts: { "": 4 } });
  for (const [name, shape, type, found] of [
    ["first", ["n", 3, 6, 6], 1, { layout: "nchw", range: "unit" }],
    ["bytes", [5, 6, 6, 3], 2, { layout: "nhwc", range: "bytes" }],
  ] as const) {
    const file = written(`${name}.onnx`, sums(shape, type));
    const data = folderData(readModel(readFileSync(file), file), classes);
    t.match(data, { size: [6, 6], channels: 3 }, name);
    const { record } = await run({ network: { file }, data: { ...data, workers: 1 } });
    t.match(record, { settings: { input: found }, calibrated: 30, comparison: { samples: 10 } }, name);
    const [output] = record.comparison!.outputs;
    t.ok(output!.sqnrDb! > 30, `${name}: ${output!.sqnrDb} dB`);
    t.equal(typeof output!.top1, "number", name);
  }
});

t.test("images without classes, in a folder of any kind", async (t) => {
  const flat = join(root, "flat");
  mkdirSync(join(flat, "more"), { recursive: true });
  for (let index = 0; index < 8; index++) {
    const image = sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 30 * index, g: 9, b: 99 } } });
    await image.png().toFile(join(flat, index < 3 ? "more" : ".", `${index}.png`));
  }
  const file = written("flat.onnx", sums(["n", 3, 6, 6], 1));
  const { record } = await run({
    network: { file },
    data: { name: "folder", folder: flat, size: 6, workers: 1 },
  });
  t.match(record, { calibrated: 6, comparison: { samples: 2, outputs: [{ top1: null }] } });
  t.match(record.notes.join(), /the images have no classes: top-1 is not measured/);
});

t.test("what does not fit is told: the input, what the file says, what was given", async (t) => {
  const folder = writeSmallMnist(join(root, "wrong"), { train: 10, test: 10 });
  const mnist = { name: "mnist", folder } as const;
  const text = written("text.onnx", sums(["n", 6, 6, 3], 1));
  const wrong: Readonly<Record<string, readonly [QuantizeSettings, RegExp]>> = {
    "another size": [
      { network: { file: text }, data: mnist },
      /wrong: the input "image" \(float32 \[n,6,6,3\]\) got images of 28 x 28 with 1 channel: expected data of its size/,
    ],
    "another layout": [
      {
        network: { file: text },
        data: { name: "folder", folder: join(root, "flat"), size: 6 },
        input: { layout: "nchw" },
      },
      /the input "image" \(float32 \[n,6,6,3\]\) got images of 6 x 6 with 3 channels as nchw/,
    ],
    "a fraction for bytes": [
      {
        network: { file: written("bytes.onnx", sums(["n", 6, 6, 3], 2)) },
        data: { samples: written("half.npy", npy("<f4", [1, 6, 6, 3], raw(new Float32Array(108).fill(0.5)))) },
      },
      /half\.npy: the input "image" \(uint8 \[n,6,6,3\]\) got 0\.5: expected whole numbers/,
    ],
    "a number beyond bytes": [
      {
        network: { file: join(root, "bytes.onnx") },
        data: { samples: written("large.npy", npy("<f4", [1, 6, 6, 3], raw(new Float32Array(108).fill(300)))) },
      },
      /the input "image" \(uint8 \[n,6,6,3\]\) got 300: expected 0 to 255/,
    ],
    "a cut file": [
      { network: cnn, data: { samples: written("cut.npy", npy("<f4", [2, 1, 28, 28], new Uint8Array(9))) } },
      /cut\.npy: \d+ bytes, expected \d+ by its header/,
    ],
  };
  for (const [what, [settings, message]] of Object.entries(wrong)) {
    await t.rejects(run(settings), { message }, what);
  }
});

t.test("a file whose batch is larger than there are samples", async (t) => {
  const file = written("batch.onnx", sums([50, 3, 6, 6], 1));
  const samples = written(
    "few.npy",
    npy("<f4", [4, 3, 6, 6], raw(sampleArray("few", [4, 3, 6, 6]).data as Float32Array)),
  );
  const { record } = await run({ network: { file }, data: { samples } });
  t.match(record, { calibrated: 3, comparison: { samples: 1 } });
});

t.test("the file's own weights stay, whatever their name", async (t) => {
  const folder = t.testdir();
  const { bytes, beside } = inOneFile(
    encodeModel(readModel(readFileSync(cnn.file), "it"), { largest: 1 }),
    "model.onnx_data",
  );
  const [file, weights] = [join(folder, "net.onnx"), join(folder, "model.onnx_data")];
  writeFileSync(file, bytes);
  writeFileSync(weights, Buffer.concat(beside));
  const before = readFileSync(weights);
  const settings = { network: { file } };
  await t.rejects(quantizeFile(settings, { folder }), { message: /holds model\.onnx_data already/ });
  await t.rejects(quantizeFile(settings, { folder, force: true }), {
    message: /holds the weights of .*net\.onnx, which stay/,
  });
  t.ok(readFileSync(weights).equals(before));
  const out = join(folder, "out");
  await quantizeFile(settings, { folder: out });
  t.ok(existsSync(join(out, "model.onnx")), "elsewhere it is quantized");
});

t.test("a file that has the batch of its export in a shape gets one sample at a time", async (t) => {
  const model = encodePlain({
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 4, 8] }],
    outputs: [{ name: "y" }],
    nodes: [
      { opType: "Reshape", input: ["x", "shape"], output: ["r"] },
      { opType: "MatMul", name: "dense", input: ["r", "w"], output: ["y"] },
    ],
    tensors: [
      floats("w", [32, 8]),
      { name: "shape", dims: [2], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(1n, 32n).buffer) },
    ],
  });
  const data = Float32Array.from(sampleArray("x", [12, 4, 8]).data as Float32Array);
  const samples = written("one-by-one.npy", npy("<f4", [12, 4, 8], raw(data)));
  const { record } = await run({ network: { file: written("one-by-one.onnx", model) }, data: { samples } });
  t.match(record.comparison, { samples: 3 });
  t.match(record.notes, [/one sample at a time/]);
});
