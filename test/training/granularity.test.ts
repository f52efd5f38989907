import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import type { WidthGranularity } from "../../src/quantization/width-granularity.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { stepGates } from "../../src/training/loop.ts";
import { createModel } from "../../src/training/model.ts";
import { parameterValues } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { digestOf } from "../fixtures/digests.ts";
import { engineKinds, random } from "../fixtures/engines.ts";
import { disposeModel } from "../fixtures/random-models.ts";
import { classifying } from "../fixtures/tasks.ts";

const adam = { optimizer: "adam", weightDecay: 0 } as const;
const classes = 7;

/** What some steps make of a narrow LeNet-5, every gate unsaturated at first: its numbers, and what its quantizers are. */
function trained(ops: Ops, granularity: WidthGranularity, steps: number) {
  const network = insertQuantizers(lenet5({ inputShape: [16, 17, 1], classes, widths: [5, 6, 11] }));
  const initial = { prune: 0.5, bits4: 0.4, bits8: 0.2, bits16: 0, bits32: -0.2 };
  const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop", granularity });
  const model = createModel(network, { ops, seed: 1, quantizers });
  const shape = [8, 16, 17, 1];
  const images = () => ops.tensor(random(1, "images", shape), shape);
  initializeRanges(model, images, () => stepGates(model, 1, 0));
  const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
  const targets = () =>
    ops.tensor(
      Int32Array.from({ length: 8 }, (_, image) => image % classes),
      [8],
    );
  const learningRates = { weights: 1e-3, gates: 1e-2, ranges: 1e-3 };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const how = { task: classifying(classes), priorStrength: 0.01, learningRates };
    const { loss } = trainer.train(() => ({ images: images(), targets: [targets()] }), stepGates(model, 1, step), how)!;
    losses.push(loss);
  }
  const numbers = [
    ...Array.from(model.parameters.keys(), (id) => parameterValues(trainer.inPhase, id)),
    ...Array.from(model.quantizers.values()).flatMap(({ phi, prune, range }) => [
      phi,
      prune ?? new Float64Array(0),
      range,
    ]),
  ];
  const widths = Array.from(model.quantizers.values(), ({ node, phi }) => [node.role, phi] as const);
  trainer.weights.dispose();
  disposeModel(model);
  return { losses, numbers, widths };
}

for (const { kind, skip } of engineKinds) {
  t.test(`gates of channels in training on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("groups of all channels are the paper's method, bit for bit", async (t) => {
      const [tensor, groups] = [trained(ops, "tensor", 12), trained(ops, { group: 11 }, 12)];
      t.strictSame(groups.losses, tensor.losses);
      t.strictSame(groups.numbers.map(digestOf), tensor.numbers.map(digestOf));
    });

    t.test("every channel learns its own", async (t) => {
      const live = ops.liveTensors();
      const { losses, numbers, widths } = trained(ops, "channel", 12);
      t.ok(losses.every(Number.isFinite), `${losses}`);
      t.ok(numbers.every((values) => Array.from(values).every(Number.isFinite)));
      for (const [role, phi] of widths) {
        if (role === "activation") t.equal(phi.length, 4);
        else t.ok(new Set(phi).size > 4, "the channels of a level differ");
      }
      t.equal(ops.liveTensors(), live, "no tensor is left");
    });
  });
}
