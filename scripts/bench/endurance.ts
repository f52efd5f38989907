import { parseArgs } from "node:util";
import { loadConfig } from "../../src/config/load-config.ts";
import { median } from "../../src/core/median.ts";
import { silent } from "../../src/core/progress.ts";
import { batchesPerEpoch, firstImages } from "../../src/data/batches.ts";
import { prepare } from "../../src/runner/prepare.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { start, stepGates, trainLoop } from "../../src/training/loop.ts";
import { networkInput } from "../../src/training/network-input.ts";
import { describeSaving, savingTimes } from "./saving.ts";

// npm run bench:endurance [-- --steps N --rounds N --epochs N]: what an epoch of MNIST costs beside as many bare steps, in
// turns; what many steps do to memory; what saving after each of many epochs costs, at first and at last.
const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    epochs: { type: "string", default: "10000" },
  },
});
const { config } = loadConfig("configs/mnist-lenet5.yaml");
const prepared = await prepare(config, silent);
const { dataset, model, trainer, phases, task } = prepared;
const { ops } = model;
const { batchSize } = config.data;
const batch = await firstImages(dataset.train, batchSize);
const makeBatch = () => ({
  images: networkInput(model, batch, dataset.normalization),
  targets: task.targets(ops, batch),
});
initializeRanges(
  model,
  () => makeBatch().images,
  () => stepGates(model, config.seed, 0),
);

const rates = { weights: 1e-5, gates: 0, ranges: 0 };
const bareStep = () =>
  trainer.train(makeBatch, stepGates(model, config.seed, trainer.step), {
    task,
    priorStrength: 0.1,
    learningRates: rates,
  });
const perEpoch = batchesPerEpoch(dataset.train.count, batchSize);

/** An epoch as `train` runs it, without what follows it: evaluation and checkpoint. */
async function epoch(): Promise<void> {
  await trainLoop(trainer, dataset, { seed: config.seed, batchSize, phases, task }, start, {
    step: async (position) => {
      await new Promise((resolve) => setImmediate(resolve));
      return position.epoch === 1;
    },
    epoch: () => {},
    watch: { permits: () => true, held: () => {} },
  });
}

async function seconds(body: () => unknown): Promise<number> {
  const started = performance.now();
  await body();
  return (performance.now() - started) / 1000;
}

const times: { epoch: number; bare: number }[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const bare = await seconds(() => {
    for (let step = 0; step < perEpoch; step++) bareStep();
  });
  times.push({ bare, epoch: await seconds(epoch) });
}
const [bare, whole] = [median(times.map(({ bare }) => bare)), median(times.map(({ epoch }) => epoch))];
console.log(
  `${perEpoch} bare steps ${bare.toFixed(2)} s, an epoch ${whole.toFixed(2)} s: ${(whole / bare).toFixed(3)} times`,
);

const resident = () => process.memoryUsage.rss() / 2 ** 20;
let early = 0;
for (let step = 1; step <= Number(values.steps); step++) {
  bareStep();
  if (step === 1000) early = resident();
}
const late = resident();
const growth = (100 * (late / early - 1)).toFixed(2);
console.log(
  `resident memory ${early.toFixed(0)} MB after 1,000 steps, ${late.toFixed(0)} MB after ${values.steps}: ${growth} %`,
);
console.log(describeSaving(savingTimes(prepared, Number(values.epochs))));
await dataset.close();
