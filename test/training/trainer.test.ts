import t from "tap";
import type { Ops } from "../../src/engine/ops.ts";
import { createQuantizers } from "../../src/methods/create-quantizers.ts";
import { insertQuantizers } from "../../src/methods/insert-quantizers.ts";
import { noPrior } from "../../src/methods/method.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { stepSamples } from "../../src/training/loop.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { learningRatesAt, type Phase, planPhases } from "../../src/training/phases.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { anyEngine, random } from "../fixtures/engines.ts";

const plain = cifarResNet("resnet20", 20, { inputShape: [8, 8, 3], classes: 4, widths: [4, 4, 4] });
const initial = { prune: 0, bits4: 1, bits8: 0, bits16: -6, bits32: -6 };
const group = { learningRate: 0.01, schedule: { name: "constant" }, weightDecay: 0 } as const;
const adam = { ...group, optimizer: "adam" } as const;
const training = {
  epochs: 3,
  fixGatesAfter: 1,
  weights: adam,
  gates: adam,
  ranges: adam,
  finetune: { epochs: 2, weights: { ...group, optimizer: "sgd", momentum: 0.9 }, ranges: adam },
} as const;
const phases = planPhases(training, { trainsWeights: true, prior: noPrior });
const [learning, settling, tuning] = phases as [Phase, Phase, Phase];

function started(ops: Ops): Trainer {
  const network = insertQuantizers(plain, { pruning: true });
  const quantizers = createQuantizers(network, { initial, prior: "bop" });
  return new Trainer(createModel(network, { ops, seed: 2, quantizers }), learning.groups);
}

function train(trainer: Trainer, phase: Phase, steps: number): void {
  const shape = [4, 8, 8, 3];
  for (let step = 0; step < steps; step++) {
    const { ops } = trainer.model;
    trainer.train(
      () => ({
        images: ops.tensor(random(trainer.step, "images", shape), shape),
        labels: ops.tensor(Int32Array.of(0, 1, 2, 3), [4]),
      }),
      stepSamples(trainer.model, 1, trainer.step),
      { priorStrength: 0.1, learningRates: learningRatesAt(phase, phase.from) },
    );
  }
}

/** Everything in a snapshot, moments too; or what is learned, by what its name begins with. */
const stateOf = (trainer: Trainer, ...kinds: readonly string[]) =>
  Array.from(takeSnapshot(trainer), ([name, { values }]) => [name, [...values]] as const).filter(
    ([name]) =>
      kinds.length === 0 || (!/^\w+\/(first|second)\//.test(name) && kinds.some((kind) => name.startsWith(kind))),
  );
const gatesOf = ({ quantizers }: Model) => Array.from(quantizers.values(), ({ bits, kept }) => ({ bits, kept }));

t.test("gates and batch normalization rest when they should, and all else learns", async (t) => {
  const { ops } = await anyEngine();
  const before = ops.liveTensors();
  const trainer = started(ops);
  train(trainer, learning, 2);

  const gates = gatesOf(trainer.model);
  const fixedAt = stateOf(trainer, "gates/", "prune/");
  trainer.enter(settling);
  t.strictSame(gatesOf(trainer.model), gates, "fixed as they stand at test time");
  t.equal(trainer.updates, 2, "the optimizers go on");
  const unsettled = stateOf(trainer, "parameter/", "range/", "statistics/");
  train(trainer, settling, 2);
  t.strictSame(stateOf(trainer, "gates/", "prune/"), fixedAt);
  t.strictNotSame(
    stateOf(trainer, "statistics/"),
    unsettled.filter(([name]) => name.startsWith("statistics/")),
  );

  trainer.enter(tuning);
  t.equal(trainer.updates, 0, "the optimizers are new");
  const [statistics, parameters, ranges] = [
    stateOf(trainer, "statistics/"),
    stateOf(trainer, "parameter/"),
    stateOf(trainer, "range/"),
  ];
  train(trainer, tuning, 2);
  t.strictSame(stateOf(trainer, "gates/", "prune/"), fixedAt);
  t.strictSame(stateOf(trainer, "statistics/"), statistics);
  t.strictNotSame(stateOf(trainer, "parameter/"), parameters);
  t.strictNotSame(stateOf(trainer, "range/"), ranges);

  const weights = trainer.weights;
  trainer.enter(tuning);
  t.equal(trainer.weights, weights, "entering again changes nothing");
  for (const variable of trainer.model.parameters.values()) ops.dispose(variable);
  trainer.weights.dispose();
  t.equal(ops.liveTensors(), before);
});

for (const { phase, epoch, stop } of [
  { phase: settling, epoch: 1, stop: 3 },
  { phase: tuning, epoch: 3, stop: 3 },
]) {
  t.test(`restored in ${phase.name}, training goes on to the same numbers`, async (t) => {
    const { ops } = await anyEngine();
    const one = started(ops);
    train(one, learning, 2);
    one.enter(phase);
    train(one, phase, stop);
    const other = started(ops);
    restoreSnapshot({ trainer: other, phases }, takeSnapshot(one), { step: one.step, epoch });
    t.equal(other.updates, one.updates);
    for (const trainer of [one, other]) train(trainer, phase, 3);
    t.strictSame(stateOf(other), stateOf(one));
    for (const trainer of [one, other]) {
      for (const variable of trainer.model.parameters.values()) ops.dispose(variable);
      trainer.weights.dispose();
    }
  });
}
