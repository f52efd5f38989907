import t from "tap";
import { epochSeconds, planTraining } from "../../src/preview/plan-training.ts";

/** A step of `step` seconds, and evaluation that costs nothing. */
const cost = (images: number, batchSize: number, step: number) => ({
  ...{ images, batchSize, evaluated: 100 },
  timing: { step, steps: 8, image: 0 },
});

t.test("an epoch is its steps and its evaluation", async (t) => {
  const timing = { step: 0.5, steps: 8, image: 0.01 };
  t.equal(epochSeconds({ images: 33, batchSize: 16, evaluated: 100, timing }), 3 * 0.5 + 1);
});

t.test("a training takes five minutes where that is possible", async (t) => {
  // MNIST: 469 steps of 60 ms are 28 s.
  const plan = planTraining(cost(60_000, 128, 0.06), true);
  t.match(plan, { pretrainEpochs: 0, epochs: 10, rates: { weights: 3e-4, gates: 0.01 }, isTooLong: false });
  t.ok(plan.seconds > 240 && plan.seconds <= 300);
});

t.test("no more epochs than help, no fewer steps than bits need", async (t) => {
  t.equal(planTraining(cost(1000, 100, 0.001), true).epochs, 100);
  // Two steps in an epoch: 150 epochs are 300.
  t.match(planTraining(cost(16, 8, 0.01), true), { epochs: 150, rates: { gates: 0.05 } });
  // An epoch of half an hour.
  t.equal(planTraining(cost(128_000, 128, 0.1), true).epochs, 5);
});

t.test("weights that are of no use learn in float32 first, and what bits need comes on top", async (t) => {
  t.match(planTraining(cost(1000, 100, 0.3), false), { pretrainEpochs: 40, epochs: 60, rates: { weights: 1e-3 } });
  t.match(planTraining(cost(128_000, 128, 0.5), false), { pretrainEpochs: 3, epochs: 6, isTooLong: false });
});

t.test("a trained network that would train for hours is for another method", async (t) => {
  t.equal(planTraining(cost(1_281_167, 128, 5), true).isTooLong, true);
  t.equal(planTraining(cost(1_281_167, 128, 5), false).isTooLong, false, "untrained, there is no other way");
});
