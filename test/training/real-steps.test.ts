import t from "tap";
import { createNetwork } from "../../src/network/zoo/index.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { stepGates } from "../../src/training/loop.ts";
import { createModel } from "../../src/training/model.ts";
import { parameterValues } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { digestOf } from "../fixtures/digests.ts";
import { anyEngine, nativeMissing, random } from "../fixtures/engines.ts";
import { disposeModel } from "../fixtures/random-models.ts";
import { classifying } from "../fixtures/tasks.ts";

const adam = { optimizer: "adam", weightDecay: 0 } as const;
const rates = { weights: 1e-4, gates: 1e-3, ranges: 1e-3 };

/** The networks in their whole width; ResNet-18 on small images, for time. */
const cases = [
  { name: "vgg7", side: 32, classes: 10 },
  { name: "resnet18", side: 64, classes: 1000 },
] as const;

for (const { name, side, classes } of cases) {
  t.test(`${name} takes a real training step`, { skip: nativeMissing() }, async (t) => {
    const { ops } = await anyEngine();
    const live = ops.liveTensors();
    const network = insertQuantizers(createNetwork(name, { inputShape: [side, side, 3], classes }));
    const initial = { prune: 6, bits4: 6, bits8: 6, bits16: -6, bits32: -6 };
    const model = createModel(network, {
      ops,
      seed: 1,
      quantizers: createQuantizers(network, { pruning: true, initial, prior: "bop" }),
    });
    const shape = [2, side, side, 3];
    const images = () => ops.tensor(random(1, "images", shape), shape);
    initializeRanges(model, images, () => stepGates(model, 1, 0));
    const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
    const [weight] = model.parameters.keys();
    const before = digestOf(parameterValues(trainer.inPhase, weight!));
    const batch = () => ({ images: images(), targets: [ops.tensor(Int32Array.of(1, 2), [2])] });
    const how = { task: classifying(classes), priorStrength: 0.01, learningRates: rates };
    const { taskLoss } = trainer.train(batch, stepGates(model, 1, 0), how)!;
    t.ok(Number.isFinite(taskLoss), `${taskLoss}`);
    t.not(digestOf(parameterValues(trainer.inPhase, weight!)), before, "weights move");
    // The loss is of before the update, which alone can have made these NaN.
    for (const id of model.parameters.keys()) {
      t.ok(parameterValues(trainer.inPhase, id).every(Number.isFinite), `${id} is finite`);
    }
    for (const [id, { phi, prune, range }] of model.quantizers) {
      t.ok([...phi, ...(prune ?? []), ...range].every(Number.isFinite), `${id} is finite`);
    }
    for (const group of ["weights", "gates", "ranges"] as const) {
      t.ok(trainer[group].moments.size > 0, `${group} are updated`);
    }
    trainer.weights.dispose();
    disposeModel(model);
    t.equal(ops.liveTensors(), live, "no tensor is left");
  });
}
