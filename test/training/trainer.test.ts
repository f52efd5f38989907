import t from "tap";
import type { Ops } from "../../src/engine/ops.ts";
import type { Network } from "../../src/kinds/index.ts";
import { noPrior } from "../../src/methods/method.ts";
import { evenPadding, NetworkBuilder } from "../../src/network/builder.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { stepGates } from "../../src/training/loop.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { learningRatesAt, type Phase, planPhases } from "../../src/training/phases.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { anyEngine, random } from "../fixtures/engines.ts";
import { classifying } from "../fixtures/tasks.ts";

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

/** A network whose second batch normalization stands behind a sum: nothing can fold it. */
function normalizedSum(): Network {
  const network = new NetworkBuilder();
  const convolution = { kernel: 3, padding: evenPadding(1), bias: false } as const;
  const first = network.conv2d("conv1", network.input([8, 8, 3]), { ...convolution, inputs: 3, outputs: 4 });
  const x = network.relu("relu1", network.batchNorm("norm1", first, { channels: 4 }));
  const sum = network.add("sum", network.conv2d("conv2", x, { ...convolution, inputs: 4, outputs: 4 }), x);
  const pooled = network.globalAveragePool(
    "pool",
    network.relu("relu2", network.batchNorm("norm2", sum, { channels: 4 })),
  );
  const output = network.dense("fc", pooled, { inputs: 4, outputs: 4 });
  return network.build({ name: "normalized-sum", outputs: [output] });
}

function started(ops: Ops): Trainer {
  const network = insertQuantizers(plain);
  const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop" });
  return new Trainer(createModel(network, { ops, seed: 2, quantizers }), learning.groups);
}

function train(trainer: Trainer, phase: Phase, steps: number): void {
  const shape = [4, 8, 8, 3];
  for (let step = 0; step < steps; step++) {
    const { ops } = trainer.inPhase;
    trainer.train(
      () => ({
        images: ops.tensor(random(trainer.step, "images", shape), shape),
        targets: [ops.tensor(Int32Array.of(0, 1, 2, 3), [4])],
      }),
      stepGates(trainer.inPhase, 1, trainer.step),
      { task: classifying(4), priorStrength: 0.1, learningRates: learningRatesAt(phase, phase.from) },
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

  const gates = gatesOf(trainer.inPhase);
  const fixedAt = stateOf(trainer, "gates/", "prune/");
  trainer.enter(settling);
  t.strictSame(gatesOf(trainer.inPhase), gates, "fixed as they stand at test time");
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
  for (const variable of trainer.inPhase.parameters.values()) ops.dispose(variable);
  trainer.weights.dispose();
  t.equal(ops.liveTensors(), before);
});

for (const [name, network, frozen] of [
  ["in float32", normalizedSum(), ["norm1", "norm2"]],
  ["quantized, behind a sum", insertQuantizers(normalizedSum()), ["norm2"]],
] as const) {
  t.test(`${name}: batch normalization that is not folded is a constant in fine-tuning`, async (t) => {
    const { ops } = await anyEngine();
    const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop" });
    const trainer = new Trainer(createModel(network, { ops, seed: 2, quantizers }), learning.groups);
    const [constant, weights] = [
      frozen.flatMap((id) => [`parameter/${id}`, `statistics/mean/${id}`, `statistics/variance/${id}`]),
      ["parameter/conv1.weight", "parameter/conv2.weight", "parameter/fc.bias"],
    ];
    const started = stateOf(trainer, ...constant);
    t.equal(started.length, 4 * frozen.length);
    train(trainer, learning, 2);
    trainer.enter(tuning);
    const [before, learned] = [stateOf(trainer, ...constant), weights.map((id) => stateOf(trainer, id))];
    for (const [index, tensor] of before.entries())
      t.strictNotSame(tensor, started[index], `${tensor[0]} learns first`);
    train(trainer, tuning, 2);
    t.strictSame(stateOf(trainer, ...constant), before);
    for (const [index, id] of weights.entries()) t.strictNotSame(stateOf(trainer, id), learned[index], `${id} learns`);
    for (const variable of trainer.inPhase.parameters.values()) ops.dispose(variable);
    trainer.weights.dispose();
  });
}

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
      for (const variable of trainer.inPhase.parameters.values()) ops.dispose(variable);
      trainer.weights.dispose();
    }
  });
}
