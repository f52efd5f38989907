import t from "tap";
import { lookup } from "../../../src/core/lookup.ts";
import type { ImageSet } from "../../../src/data/dataset.ts";
import { account } from "../../../src/methods/bit-accounting.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";
import type { BitWidth } from "../../../src/quantization/levels.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { GridQuantizer } from "../../../src/quantizers/grid-quantizer.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { setBits } from "../../../src/quantizers/level-gates.ts";
import { holdImages } from "../../../src/training/analysis/held-images.ts";
import { measureSensitivity, triedChanges } from "../../../src/training/analysis/measure-sensitivity.ts";
import { signalToNoise } from "../../../src/training/analysis/signal-to-noise.ts";
import { evaluate } from "../../../src/training/evaluate.ts";
import { createModel } from "../../../src/training/model.ts";
import { testTimeGates } from "../../../src/training/pass.ts";
import { anyEngine, random } from "../../fixtures/engines.ts";
import { splitOf, trainingSplitOf } from "../../fixtures/splits.ts";
import { classifying, classTargets } from "../../fixtures/tasks.ts";

const shape = [16, 17, 1] as const;
const classes = 5;
const network = insertQuantizers(lenet5({ inputShape: shape, classes, widths: [2, 3, 4] }), { statistics: "running" });
const initial = { prune: 6, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };
const normalization = { mean: [0.5], deviation: [0.5] };
const task = classifying(classes);
const never = async () => {};

/** Images of noise, whose classes lie one behind the other. */
function noise(count: number, stream: string): ImageSet {
  const pixels = random(3, stream, [count, ...shape], 127);
  const values = Array.from({ length: count }, (_, image) => Math.floor((image * classes) / count));
  return { count, images: Uint8Array.from(pixels, (value) => value + 128), targets: classTargets(values) };
}

const validation = splitOf(noise(100, "validation"), shape);
const train = trainingSplitOf(noise(300, "train"), shape, 1);

/** A network that has learned nothing, its tensors at these widths: the first for weights, the second for activations. */
async function modelAt(weights: BitWidth, activations: BitWidth) {
  const { ops } = await anyEngine();
  const quantizers = createQuantizers(network, {
    ...{ pruning: true, initial, prior: "bop", weightRanges: "per-tensor" },
    bitsOf: ({ role }: { role: string }) => (role === "weight" ? weights : activations),
  });
  for (const { range } of quantizers.values()) range.fill(0.7);
  return createModel(network, { ops, seed: 5, quantizers });
}

const held = (most = 80) => holdImages({ train, validation }, { most, batchSize: 32, seed: 1, pause: never });

t.test("each tensor is tried at 8 bits and at the width below its own, and stays as it is", async (t) => {
  const model = await modelAt(4, 32);
  const { quantizers } = model;
  const [pruned, grid, two, sixteen] = ["conv1", "conv2", "fc1", "fc2"].map((layer) => `${layer}.weight.quantizer`);
  lookup(quantizers, pruned!).prune!.fill(-6);
  quantizers.set(grid!, new GridQuantizer(lookup(quantizers, grid!), { bits: 4, steps: Float32Array.of(0.1) }));
  setBits(lookup(quantizers, two!), 2);
  setBits(lookup(quantizers, sixteen!), 16);
  const tried = (id: string) => triedChanges(model).flatMap(({ quantizer, bits }) => (quantizer === id ? [bits] : []));
  t.strictSame(tried(pruned!), [], "nothing is left of it");
  t.strictSame(tried(grid!), [], "its float values are gone");
  t.strictSame(tried(two!), [8], "nothing is below 2 bits");
  t.strictSame(tried(sixteen!), [8], "8 bits are next");
  t.strictSame(tried("conv1.quantizer"), [8, 16], "of 32 bits");
  t.strictSame(tried("conv2.quantizer"), [8, 16]);
  for (const { changed, bits } of triedChanges(model)) t.equal(changed.bits, bits);
  t.equal(lookup(quantizers, two!).bits, 2);
});

t.test("a choice is what evaluating and counting with that width gives; the network stays", async (t) => {
  const model = await modelAt(4, 4);
  const { ops } = model;
  const images = await held();
  const options = { task, images, normalization, pause: never, progress: () => {} };
  const before = ops.liveTensors();
  const sensitivity = (await measureSensitivity(model, options))!;
  t.equal(ops.liveTensors(), before, "nothing is left over");
  t.strictSame(await measureSensitivity(model, options), sensitivity, "the same every time");
  const now = () =>
    evaluate(model, images.split, { task, normalization, samples: testTimeGates(model), batchSize: 32 });
  const { metrics, taskLoss } = await now();
  t.strictSame([sensitivity.from, sensitivity.images], ["validation", 80]);
  t.strictSame([sensitivity.metrics, sensitivity.taskLoss], [metrics, taskLoss]);
  t.equal(sensitivity.tensors.length, model.quantizers.size);
  for (const { quantizer, choices } of sensitivity.tensors) {
    t.strictSame(
      choices.map(({ bits }) => bits),
      [2, 8],
    );
    for (const { bits, error, ...choice } of choices) {
      setBits(lookup(model.quantizers, quantizer), bits);
      const { relativeBops, packedBytes } = account(network, model.quantizers);
      t.strictSame(choice, { ...(await now()), relativeBops, bytes: packedBytes }, `${quantizer} at ${bits} bits`);
      setBits(lookup(model.quantizers, quantizer), 4);
      // Differences of -100, 0 and 100, of 80 images: one that differs gives 100/80.
      t.ok(error! >= 1.25 && error! < 12, `${error}`);
    }
  }
});

t.test("it ends between two batches", async (t) => {
  const model = await modelAt(4, 4);
  const images = await held();
  const before = model.ops.liveTensors();
  let batches = 0;
  const pause = async () => {
    if (++batches === 7) throw new Error("stopped");
  };
  await t.rejects(measureSensitivity(model, { task, images, normalization, pause, progress: () => {} }), {
    message: "stopped",
  });
  t.equal(model.ops.liveTensors(), before);
});

t.test("images come from the held-out part, over all of its classes, else from those of training", async (t) => {
  const classesOf = async ({ split }: Awaited<ReturnType<typeof held>>) => {
    const seen: number[] = [];
    for await (const { targets } of split.batches({ batchSize: 1 })) seen.push(...targets.values);
    return seen;
  };
  const some = await held(20);
  t.strictSame([some.from, some.split.count], ["validation", 20]);
  t.equal(new Set(await classesOf(some)).size, classes);
  t.strictSame(await classesOf(await held(20)), await classesOf(some));
  t.equal((await held(1000)).split.count, 100, "no more than there are");
  const trained = await holdImages({ train, validation: null }, { most: 90, batchSize: 32, seed: 1, pause: never });
  t.strictSame([trained.from, trained.split.count, trained.sample.count], ["train", 90, 45], "every second one");
});

t.test(
  "signal-to-noise: of the kept weights against their codes; nothing of 32 bits; 24 dB more for 4 bits more",
  async (t) => {
    const model = await modelAt(4, 32);
    const { ops, quantizers, parameters } = model;
    const id = "fc1.weight.quantizer";
    const quantizer = lookup(quantizers, id);
    quantizer.prune![1] = -6;
    const { sample } = await held();
    const ratio = (of = id) => signalToNoise(model, sample, normalization).get(of);
    const weight = ops.scope(
      () => Float32Array.from(ops.read(ops.value(lookup(parameters, "fc1.weight")))),
      () => [],
    );
    const { scale, codes } = quantizer.encode(weight);
    let [signal, lost] = [0, 0];
    for (const [index, value] of weight.entries()) {
      if (index % 4 === 1) continue;
      signal += value ** 2;
      lost += (value - Number(scale) * codes[index]!) ** 2;
    }
    t.ok(Math.abs(ratio()! - 10 * Math.log10(signal / lost)) < 1e-4, `${ratio()}`);
    t.equal(ratio("conv1.quantizer"), null, "32 bits");
    // Of values far inside the range, so that nothing is clipped.
    const activation = lookup(quantizers, "conv1.quantizer");
    activation.range.fill(8);
    const at = (bits: BitWidth) => {
      setBits(activation, bits);
      return ratio("conv1.quantizer")!;
    };
    const [four, eight] = [at(4), at(8)];
    t.ok(four > 0 && Math.abs(eight - four - 24.1) < 4, `${four} and ${eight}: ReLU's zeros are no noise`);
  },
);
