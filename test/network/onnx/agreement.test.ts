import { join } from "node:path";
import t from "tap";
import { ort } from "../../../src/core/onnx-runtime.ts";
import { silent } from "../../../src/core/progress.ts";
import type { Ops, Tensor } from "../../../src/engine/ops.ts";
import { exportFile } from "../../../src/export/export-file.ts";
import { freeze } from "../../../src/export/freeze.ts";
import { onlyInput } from "../../../src/kinds/index.ts";
import { forward } from "../../../src/network/passes.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { initializeRanges } from "../../../src/training/initial-ranges.ts";
import { stepGates } from "../../../src/training/loop.ts";
import { createModel, type Model } from "../../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../../src/training/pass.ts";
import { Trainer } from "../../../src/training/trainer.ts";
import { digestOf } from "../../fixtures/digests.ts";
import { anyEngine, freeing, nativeMissing, near, random } from "../../fixtures/engines.ts";
import { randomImages } from "../../fixtures/frozen-networks.ts";
import {
  bytesOf,
  importBytes,
  type NetworkFileName,
  networkFileNames,
  networkFiles,
} from "../../fixtures/onnx/files.ts";
import { freezeInput } from "../../fixtures/random-models.ts";
import { classifying, sameClassOf } from "../../fixtures/tasks.ts";

const { ops } = await anyEngine();
const batch = 4;

/** Images as the graph has them, [batch, height, width, channels]. */
const imagesFor = (name: NetworkFileName) => random(1, name, [batch, ...networkFiles[name]], 2);

/** Axes of the file's input behind the batch, in the graph's order of rows, columns, channels. */
const channelsLast: ReadonlySet<string> = new Set(["keras-cnn", "keras-mobilenet", "handwritten-channels-last"]);

async function runtimeOutput(name: NetworkFileName, images: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = networkFiles[name];
  const pixels = height * width;
  const shape = channelsLast.has(name)
    ? [batch, height, width, channels]
    : name === "handwritten-perceptron"
      ? [batch, pixels]
      : [batch, channels, height, width];
  const values = channelsLast.has(name)
    ? images
    : images.map((_, index) => {
        const [image, channel, pixel] = [
          Math.floor(index / (pixels * channels)),
          Math.floor(index / pixels) % channels,
          index % pixels,
        ];
        return images[(image * pixels + pixel) * channels + channel]!;
      });
  const session = await ort.InferenceSession.create(bytesOf(name), { intraOpNumThreads: 1 });
  const results = await session.run({ [session.inputNames[0]!]: new ort.Tensor("float32", values, shape) });
  const output = results[session.outputNames[0]!]!.data as Float32Array;
  await session.release();
  return Float32Array.from(output);
}

function logits(model: Model, images: Float32Array): Float32Array {
  return freeing(ops, () => {
    const tensor = ops.tensor(images, [batch, ...onlyInput(model.network).shape]);
    const pass = passOf(model, testTimeGates(model), soleInput(model.network, tensor), { training: false });
    return Float32Array.from(ops.read(forward(model.network, pass, { keep: false }).outputs[0]!));
  });
}

/** What the file's own last node, which the graph leaves out, makes of logits. */
function ending(name: NetworkFileName, values: Float32Array): Float32Array {
  const isLog = name === "handwritten-odd";
  if (!isLog && !name.includes("cnn")) return values;
  const classes = values.length / batch;
  return values.map((value, index) => {
    const start = index - (index % classes);
    const row = values.subarray(start, start + classes);
    const sum = row.reduce((total, other) => total + Math.exp(other - value), 0);
    return isLog ? -Math.log(sum) : 1 / sum;
  });
}

const release = (model: Model) => {
  for (const variable of model.parameters.values()) model.ops.dispose(variable);
};

for (const name of networkFileNames) {
  t.test(`${name} gives what onnxruntime gives`, async (t) => {
    const { network, initial } = importBytes(bytesOf(name), networkFiles[name]);
    const model = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
    const images = imagesFor(name);
    const expected = await runtimeOutput(name, images);
    t.ok(new Set(expected).size > batch, "images and classes are told apart");
    // Relative to the largest, also where that is a probability.
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    t.doesNotThrow(() => near(ending(name, logits(model, images)), expected, 1e-4 * Math.min(1, largest)));
    release(model);
  });

  t.test(`${name} trains from its weights`, (t) => {
    const { model, initial } = quantized(name);
    const [first] = initial.parameters;
    t.equal(digestOf(valuesOf(ops, model, first![0])), digestOf(first![1]), "nothing is drawn anew");
    const adam = { optimizer: "adam", weightDecay: 0 } as const;
    const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
    const task = classifying(10);
    const labels = Int32Array.from({ length: batch }, (_, image) => image);
    const losses = Array.from({ length: 12 }, (_, step) => {
      const makeBatch = () => ({ images: upload(name), targets: [ops.tensor(labels, [batch])] });
      const rates = { weights: 3e-3, gates: 1e-3, ranges: 1e-3 };
      return trainer.train(makeBatch, stepGates(model, 1, step), { task, priorStrength: 0, learningRates: rates })!
        .loss;
    });
    t.ok(losses.every(Number.isFinite), "finite losses");
    t.ok(losses.at(-1)! < losses[0]!, `the loss falls: ${losses.map((loss) => loss.toFixed(2)).join(" ")}`);
    release(model);
    t.end();
  });
}

t.test("every network is exported and checked in onnxruntime", { skip: nativeMissing() }, async (t) => {
  const folder = t.testdir();
  for (const name of networkFileNames) {
    const { model, plain } = quantized(name);
    for (const quantizer of model.quantizers.values()) quantizer.prune?.set([-6]);
    const learned = freezeInput(model);
    const float = { ...learned, network: plain, quantizers: new Map() };
    for (const [title, network] of [
      ["quantized and pruned", freeze(learned)],
      ["in float32", freeze(float)],
    ] as const) {
      const test = randomImages(network, batch);
      const file = join(folder, `${name}.onnx`);
      const options = { form: "packed", input: "uint8", metadata: {}, ops, reporter: silent } as const;
      const { verification } = await exportFile({
        ...options,
        network,
        file,
        test,
        agreement: classifying(network.classes.length).agreement(null),
      });
      t.equal(sameClassOf(verification!), 100, `${name}, ${title}`);
    }
    release(model);
  }
});

/** A network from its file with quantizers whose gates are open up to 8 bits, and its first ranges. */
function quantized(name: NetworkFileName) {
  const { network: plain, initial } = importBytes(bytesOf(name), networkFiles[name]);
  const network = insertQuantizers(plain);
  const gates = { prune: 6, bits4: 6, bits8: 6, bits16: -6, bits32: -6 };
  const quantizers = createQuantizers(network, { pruning: true, initial: gates, prior: "bop" });
  const model = createModel(network, { ops, seed: 1, quantizers, initial });
  initializeRanges(
    model,
    () => upload(name),
    () => stepGates(model, 1, 0),
  );
  return { model, plain, initial };
}

/** Uploads the images, as often as it is called. */
const upload = (name: NetworkFileName): Tensor => ops.tensor(imagesFor(name), [batch, ...networkFiles[name]]);

const valuesOf = (ops: Ops, { parameters }: Model, id: string): Float32Array =>
  freeing(ops, () => Float32Array.from(ops.read(ops.value(parameters.get(id)!))));
