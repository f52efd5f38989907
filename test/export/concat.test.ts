import { join } from "node:path";
import t, { type Test } from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { silent } from "../../src/core/progress.ts";
import { exportFile } from "../../src/export/export-file.ts";
import type { FrozenNetwork } from "../../src/export/frozen-network.ts";
import { Reference } from "../../src/export/reference.ts";
import { onlyInput } from "../../src/kinds/index.ts";
import { forward } from "../../src/network/passes.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { drawGates, passOf, soleInput, testTimeGates } from "../../src/training/pass.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { concatNetwork } from "../fixtures/concat-network.ts";
import { anyEngine, nativeMissing, near, random } from "../fixtures/engines.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { disposeModel, freezeModel, randomModel } from "../fixtures/random-models.ts";
import { classifying, sameClassOf } from "../fixtures/tasks.ts";

const { ops } = await anyEngine();
const batch = 8;

/** Trains with gates that are drawn, from half open; then closes pruning gates that are below the others. */
function trained(): { readonly model: Model; readonly losses: readonly number[] } {
  const network = insertQuantizers(concatNetwork());
  const initial = { prune: 1, bits4: 6, bits8: 6, bits16: -6, bits32: -6 };
  const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop" });
  const model = createModel(network, { ops, seed: 2, quantizers });
  const shape = [batch, ...onlyInput(network).shape];
  const images = () => ops.tensor(random(2, "images", shape), shape);
  initializeRanges(model, images, () => testTimeGates(model));
  const adam = { optimizer: "adam", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 } as const;
  const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
  const losses = Array.from({ length: 30 }, (_, step) => {
    const labels = Int32Array.from({ length: batch }, (_, image) => image % 4);
    const draw = (id: string, count: number) => random(step, id, [count], 0.49).map((value) => 0.5 + value);
    const makeBatch = () => ({ images: images(), targets: [ops.tensor(labels, [batch])] });
    const how = {
      task: classifying(4),
      priorStrength: 0.01,
      learningRates: { weights: 0.01, gates: 0.02, ranges: 0.001 },
    };
    return trainer.train(makeBatch, drawGates(model, draw), how)!.taskLoss;
  });
  for (const { prune } of quantizers.values()) {
    if (prune === null) continue;
    const middle = [...prune].sort((a, b) => a - b)[Math.floor(prune.length / 2)]!;
    prune.set(prune.map((phi) => (phi < middle ? -6 : 6)));
  }
  trainer.weights.dispose();
  return { model, losses };
}

/** Logits of the masked network, and of the one whose channels are cut out. */
function logits(model: Model, frozen: FrozenNetwork): readonly [masked: Float32Array, cut: Float32Array] {
  const shape = [batch, ...onlyInput(model.network).shape];
  const pixels = random(9, "images", shape);
  const reference = new Reference(ops, frozen);
  const read = ops.scope(
    () => {
      const inputs = soleInput(model.network, ops.tensor(pixels, shape));
      const pass = passOf(model, testTimeGates(model), inputs, { training: false });
      const masked = Float32Array.from(ops.read(forward(model.network, pass, { keep: false }).outputs[0]!));
      return [masked, Float32Array.from(ops.read(reference.logits(ops.tensor(pixels, shape))))] as const;
    },
    () => [],
  );
  reference.release();
  return read;
}

async function exportsInAllForms(t: Test, frozen: FrozenNetwork, title: string): Promise<void> {
  const file = join(t.testdir(), "model.onnx");
  const options = { input: "uint8", metadata: {}, test: randomImages(frozen, 60), ops, reporter: silent } as const;
  for (const form of onnxForms) {
    const { verification } = await exportFile({
      ...options,
      network: frozen,
      form,
      file,
      agreement: classifying(4).agreement(null),
    });
    t.ok(sameClassOf(verification!)! >= 99, `${title}, ${form}: ${sameClassOf(verification!)} % the same class`);
  }
}

t.test(
  "a trained and pruned network with concatenations is what its files compute",
  { skip: nativeMissing() },
  async (t) => {
    const { model, losses } = trained();
    t.ok(losses.at(-1)! < 0.7 * losses[0]!, `it learns: ${losses[0]} to ${losses.at(-1)}`);
    const frozen = freezeModel(model);
    const [masked, cut] = logits(model, frozen);
    t.doesNotThrow(() => near(cut, masked, 1e-3));
    t.ok(frozen.nodes.find(({ id }) => id === "concat2")!.outputShape[2]! < 18, "channels are cut out");
    await exportsInAllForms(t, frozen, "trained");
    disposeModel(model);
  },
);

t.test("constants of channels that are cut out go through concatenations", { skip: nativeMissing() }, async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const model = randomModel(ops, { network: concatNetwork(), seed, bits: [32], pruned: seed / 8 });
    const [masked, cut] = logits(model, freezeModel(model));
    const largest = Math.max(...masked.map(Math.abs));
    const scaled = (values: Float32Array) => values.map((value) => value / largest);
    t.doesNotThrow(() => near(scaled(cut), scaled(masked), 1e-4), `seed ${seed}`);
    disposeModel(model);
  }
});

t.test("random bits and channels agree in all forms", { skip: nativeMissing() }, async (t) => {
  for (const [seed, bits] of [[2, 4, 8], [8], [4, 16, 32]].entries()) {
    const drawn = bits as (2 | 4 | 8 | 16 | 32)[];
    const model = randomModel(ops, { network: concatNetwork(), seed: seed + 20, bits: drawn, pruned: 0.4 });
    await exportsInAllForms(t, freezeModel(model), `bits ${bits.join("/")}`);
    disposeModel(model);
  }
});
