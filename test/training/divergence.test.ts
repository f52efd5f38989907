import t from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { noPrior } from "../../src/methods/method.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { isOpen } from "../../src/quantization/hard-concrete.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { DivergenceWatch } from "../../src/training/divergence.ts";
import { start, trainLoop } from "../../src/training/loop.ts";
import { createModel } from "../../src/training/model.ts";
import { planPhases } from "../../src/training/phases.ts";
import { constantStrength } from "../../src/training/prior-strength.ts";
import { takeSnapshot } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { splitOf, trainingSplitOf } from "../fixtures/splits.ts";
import { classifying, classTargets } from "../fixtures/tasks.ts";

const configured = (...set: string[]) => loadConfig("configs/mnist-lenet5-quick.yaml", { set }).config;
const failure = (message: RegExp) => ({ name: "UserError", exitCode: 1, message });

/** Trains a narrow LeNet-5 on a few images of noise; gives the trainer, the warnings and how it ended. */
async function train({ set = [], poison }: { set?: readonly string[]; poison?: (trainer: Trainer) => void }) {
  const { training, method } = configured("training.epochs=1", ...set);
  const { ops } = await anyEngine();
  const plain = lenet5({ inputShape: [28, 28, 1], classes: 3, widths: [2, 2, 4] });
  const network = insertQuantizers(plain);
  if (method.name !== "bayesian-bits") throw new Error("another method");
  const quantizers = createQuantizers(network, { pruning: true, initial: method.gates.initial, prior: "bop" });
  const phases = planPhases(training, { trainsWeights: true, prior: noPrior });
  const strength = constantStrength(method.prior.strength);
  const trainer = new Trainer(createModel(network, { ops, seed: 1, quantizers }), phases[0]!.groups, { strength });
  const images = Uint8Array.from({ length: 8 * 784 }, (_, pixel) => (pixel * 97) % 256);
  const set8 = { count: 8, images, targets: classTargets([0, 1, 2, 0, 1, 2, 0, 1]) };
  const dataset: Dataset = {
    name: "noise",
    imageShape: [28, 28, 1],
    targets: { kind: "classes", names: ["a", "b", "c"] },
    normalization: { mean: [0], deviation: [1] },
    train: trainingSplitOf(set8, [28, 28, 1], 1),
    validation: null,
    test: splitOf(set8, [28, 28, 1]),
    files: [],
    images: null,
    damaged: () => [],
    close: async () => {},
  };
  poison?.(trainer);
  const warnings: string[] = [];
  const watch = new DivergenceWatch(training.guards, (step, message) => void warnings.push(`step ${step}: ${message}`));
  const options = { seed: 1, batchSize: 2, phases, task: classifying(3) };
  const counted: number[] = [];
  const end = trainLoop(trainer, dataset, options, start, {
    step: ({ sums }) => {
      counted.push(sums.images);
      return false;
    },
    epoch: () => {},
    watch,
  });
  const error = await end.then(
    () => null,
    (thrown: Error) => thrown,
  );
  return { trainer, warnings, error, counted };
}

const ids = (trainer: Trainer) => [...trainer.inPhase.quantizers.keys()];

t.test("a loss that is not finite ends training before the update: step, layer and remedy are named", async (t) => {
  let before = "";
  const { trainer, error } = await train({
    poison: (trainer) => {
      const { ops, parameters } = trainer.inPhase;
      ops.assign(parameters.get("fc2.bias")!, Float32Array.of(Number.POSITIVE_INFINITY, 0, 0));
      before = JSON.stringify([...takeSnapshot(trainer)]);
    },
  });
  t.match(error, failure(/^training stopped at step 1 \(epoch 1\): the loss is .*; lower the learning rates/));
  t.match(error!.message, /the gradient of .* is not finite/);
  t.equal(JSON.stringify([...takeSnapshot(trainer)]), before, "nothing was updated");
});

t.test("a prior that is too strong for numbers is what is named, not the learning rates", async (t) => {
  for (const strength of ["1e308", "1e200"]) {
    const { error } = await train({ set: [`method.prior.strength=${strength}`] });
    t.match(error, failure(/^training stopped at step 1 \(epoch 1\): .*; lower method\.prior\.strength$/), strength);
  }
});

t.test("a range that is not finite is named", async (t) => {
  const { error } = await train({
    poison: ({ inPhase: model }) => {
      model.quantizers.get("fc1.quantizer")!.range[0] = Number.NaN;
    },
  });
  t.match(error, failure(/the range of fc1\.quantizer is not finite/));
});

t.test("told to, it leaves such steps out, and ends where none is left", async (t) => {
  const { error, warnings, counted } = await train({
    set: ["training.guards.nonFinite=skip"],
    poison: ({ inPhase: model }) => {
      model.quantizers.get("fc1.quantizer")!.range[0] = Number.NaN;
    },
  });
  t.match(warnings[0], /^step 1: .*the range of fc1\.quantizer is not finite: this step's update is left out/);
  t.strictSame(counted, [0, 0, 0, 0], "no such step counts");
  t.match(error, failure(/no step of epoch 1 had finite gradients/));
});

const closing = ["method.prior.strength=1000", "training.gates.learningRate=20"];

t.test("no layer loses its last channel: it is held, with a warning", async (t) => {
  const { trainer, warnings, error } = await train({ set: closing });
  t.equal(error, null);
  const pruned = [...trainer.inPhase.quantizers.values()].filter(({ prune }) => prune !== null);
  t.ok(pruned.length === 3 && pruned.every(({ kept }) => kept!.length >= 1));
  t.ok(
    pruned.some(({ prune }) => prune!.filter(isOpen).length === 1),
    "some layer has just one left",
  );
  t.match(
    warnings.join("\n"),
    /the layer of \S+\.weight\.quantizer is about to lose its last channel: one channel is held/,
  );
});

t.test("or ends training", async (t) => {
  const { error } = await train({ set: [...closing, "training.guards.lastChannel=stop"] });
  t.match(error, failure(/at step \d+ .*about to lose its last channel; lower method\.prior\.strength/));
});

t.test("a range on its floor is held there with a warning, or ends training", async (t) => {
  const shrinking = {
    set: ["training.ranges.optimizer=sgd", "training.ranges.momentum=0"],
    poison: ({ inPhase: model }: Trainer) => {
      for (const { range } of model.quantizers.values()) range[0] = 1e-6;
    },
  };
  const { trainer, warnings, error } = await train(shrinking);
  t.equal(error, null);
  t.match(warnings.join("\n"), /the range of \S+ has reached its floor: it is held there/);
  t.ok(ids(trainer).every((id) => trainer.inPhase.quantizers.get(id)!.xMax >= 1e-5));
  const stopping = [...shrinking.set, "training.guards.rangeFloor=stop"];
  t.match(
    (await train({ ...shrinking, set: stopping })).error,
    failure(/has reached its floor; lower training\.ranges/),
  );
});

/** Epochs with these losses, every tensor at these bits. */
function epochsOf(losses: readonly number[], bits: readonly (2 | 4 | 8 | 32)[] = []) {
  const [first] = sampleRecord().epochs;
  return losses.map((loss, index) => ({
    ...first!,
    epoch: index + 1,
    step: 10 * (index + 1),
    train: { ...first!.train, loss },
    quantizers: Object.fromEntries(
      Object.entries(first!.quantizers).map(([id, one]) => [id, { ...one, bits: bits[index] ?? 8 }]),
    ),
  }));
}

/** What is said after the last of these epochs. */
function said(epochs: ReturnType<typeof epochsOf>, ...set: string[]) {
  const warnings: string[] = [];
  const { guards } = configured(...set).training;
  const watch = new DivergenceWatch(guards, (step, message) => void warnings.push(`step ${step}: ${message}`));
  watch.epoch(epochs);
  return { warnings, endsEarly: watch.endsEarly(epochs) };
}

t.test("all tensors at one end of the bit-widths, for so many epochs", async (t) => {
  const three = "training.guards.uniformBits.epochs=3";
  t.strictSame(said(epochsOf([3, 2], [32, 32]), three).warnings, [], "not yet");
  t.strictSame(said(epochsOf([4, 3, 2, 1], [8, 32, 32, 8]), three).warnings, []);
  t.strictSame(said(epochsOf([4, 3, 2], [2, 32, 2]), three).warnings, []);
  t.strictSame(said(epochsOf([4, 3, 2], [8, 8, 8]), three).warnings, [], "8 bits are no end");
  t.strictSame(said(epochsOf([4, 3, 2, 1], [8, 32, 32, 32]), three).warnings, [
    "step 40: all tensors have had 32 bits for 3 epochs: raise method.prior.strength or training.gates.learningRate",
  ]);
  t.match(said(epochsOf([4, 3, 2], [2, 2, 2]), three).warnings, [/2 bits for 3 epochs: lower method\.prior/]);
  t.throws(
    () => said(epochsOf([4, 3, 2], [2, 2, 2]), three, "training.guards.uniformBits.action=stop"),
    failure(/stopped at step 30 \(epoch 3\): all tensors have had 2 bits/),
  );
  const mixed = epochsOf([4, 3, 2], [2, 2, 2]);
  mixed[2]!.quantizers["fc2.weight.quantizer"] = { ...mixed[2]!.quantizers["fc2.weight.quantizer"]!, bits: 4 };
  t.strictSame(said(mixed, three).warnings, [], "one tensor is enough to differ");
});

t.test("no improvement for so many epochs: a warning, or an early end", async (t) => {
  const two = "training.guards.noImprovement.epochs=2";
  const finish = "training.guards.noImprovement.action=finish";
  t.strictSame(said(epochsOf([1]), two), { warnings: [], endsEarly: false });
  t.strictSame(said(epochsOf([1, 2]), two, finish), { warnings: [], endsEarly: false });
  t.strictSame(said(epochsOf([1, 2, 0.9, 1]), two, finish), { warnings: [], endsEarly: false });
  t.strictSame(said(epochsOf([1, 1, 1]), two), {
    warnings: [
      "step 30: the training loss has not fallen for 2 epochs: lower training.weights.learningRate, or let training end with training.guards.noImprovement",
    ],
    endsEarly: false,
  });
  t.strictSame(said(epochsOf([1, 2, 3]), two, finish), {
    warnings: ["step 30: the training loss has not fallen for 2 epochs: training ends here"],
    endsEarly: true,
  });
});

/** What is said after the last epoch of a run on this many test images. */
function saidAtEnd(
  {
    losses,
    top1,
    images = 1000,
    startLoss = 2.9,
  }: { losses: readonly number[]; top1: number; images?: number; startLoss?: number },
  ...set: string[]
) {
  const warnings: string[] = [];
  const { guards } = configured(...set).training;
  const watch = new DivergenceWatch(guards, (step, message) => void warnings.push(`step ${step}: ${message}`));
  const sample = sampleRecord();
  const epochs = epochsOf(losses).map((epoch) => ({ ...epoch, train: { ...epoch.train, taskLoss: epoch.train.loss } }));
  const record = { ...sample, startLoss, epochs, data: { ...sample.data, testImages: images } };
  for (let count = 1; count <= epochs.length; count++) watch.loss({ ...record, epochs: epochs.slice(0, count) });
  return { warnings, diverged: watch.end(record, { top1 }) };
}

t.test("a finite loss far above its start, once", async (t) => {
  t.strictSame(saidAtEnd({ losses: [2, 28], top1: 50 }), { warnings: [], diverged: null });
  const { warnings, diverged } = saidAtEnd({ losses: [2, 870_000], top1: 50 });
  t.match(warnings, [
    /^step 20: the training loss is more than 10 times that at the start \(2\.90\): lower the learning rates/,
    /^step 20: the loss of the last epoch is 8\.70e\+5, at the start it was 2\.90: lower/,
  ]);
  t.equal(diverged, "the loss of the last epoch is 8.70e+5, at the start it was 2.90");
  t.equal(saidAtEnd({ losses: [31, 2], top1: 50 }).diverged, null, "it has come back");
  t.equal(saidAtEnd({ losses: [0.5, 0.4], top1: 50, startLoss: 0.01 }).diverged, null, "from a trained network");
  t.match(saidAtEnd({ losses: [2, 7], top1: 50 }, "training.guards.diverged.factor=2").diverged, /last epoch/);
  t.throws(
    () => saidAtEnd({ losses: [2, 31], top1: 50 }, "training.guards.diverged.action=stop"),
    failure(/stopped at step 20 \(epoch 2\): the training loss is more than 10 times/),
  );
});

t.test("a finished network that is no better than chance", async (t) => {
  const at = (top1: number, images: number) => saidAtEnd({ losses: [2], top1, images }).diverged;
  t.match(at(10, 1000), /^top-1 on the test set is 10\.00 %, and a network that looks at no image comes to 10\.00 %$/);
  t.match(at(11.8, 1000), /top-1/, "two standard errors above");
  t.strictSame([at(12, 1000), at(99, 1000)], [null, null]);
  t.equal(at(0, 40), null, "so few images tell nothing");
  t.match(at(17, 60), /top-1/);
  t.throws(
    () => saidAtEnd({ losses: [2], top1: 10 }, "training.guards.diverged.action=stop"),
    failure(/stopped at step 10 \(epoch 1\): top-1 on the test set/),
  );
});
