import fc from "fast-check";
import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { noPrior } from "../../src/methods/method.ts";
import { epochsOf, learningRatesAt, phaseAt, planPhases } from "../../src/training/phases.ts";

const adam = { optimizer: "adam" };
function planned(
  training: Record<string, unknown>,
  method: Parameters<typeof planPhases>[1] = { trainsWeights: true, prior: noPrior },
) {
  const config = configSchema.parse({
    name: "x",
    data: { name: "mnist" },
    network: { name: "lenet5" },
    method: { name: "bayesian-bits" },
    training: { weights: adam, gates: adam, ranges: adam, ...training },
  });
  return planPhases(config.training, method);
}
const summary = (phases: ReturnType<typeof planned>) => phases.map(({ name, from, to }) => [name, from, to]);

t.test("a run is one phase unless more is asked for", (t) => {
  t.strictSame(summary(planned({ epochs: 7 })), [["training", 0, 7]]);
  t.strictSame(summary(planned({ epochs: 7, fixGatesAfter: 5, finetune: { epochs: 2 } })), [
    ["training", 0, 5],
    ["settling", 5, 7],
    ["fine-tuning", 7, 9],
  ]);
  const budget = { trainsWeights: true, prior: { strength: 0.1, target: { relativeBops: 1 } } };
  t.strictSame(summary(planned({ epochs: 10 }, budget)), [
    ["training", 0, 8],
    ["settling", 8, 10],
  ]);
  t.strictSame(summary(planned({ epochs: 1 }, budget)), [["training", 0, 1]]);
  t.strictSame(summary(planned({ epochs: 10, pretrain: { epochs: 3 }, finetune: { epochs: 1 } }, budget)), [
    ["pretraining", 0, 3],
    ["training", 3, 11],
    ["settling", 11, 13],
    ["fine-tuning", 13, 14],
  ]);
  t.end();
});

t.test("the phases cover every epoch once, in order", (t) => {
  const cases = fc.record({
    epochs: fc.integer({ min: 1, max: 60 }),
    fixed: fc.nat(70),
    before: fc.nat(9),
    tuned: fc.nat(20),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(cases, ({ epochs, fixed, before, tuned }) => {
        const phases = planned({
          epochs,
          ...(fixed > 0 && fixed < epochs && { fixGatesAfter: fixed }),
          ...(before > 0 && { pretrain: { epochs: before } }),
          ...(tuned > 0 && { finetune: { epochs: tuned } }),
        });
        if (epochsOf(phases) !== before + epochs + tuned) throw new Error("epochs are lost");
        phases.forEach(({ from, to }, index) => {
          if (from !== (phases[index - 1]?.to ?? 0) || to <= from) throw new Error(`phase ${index}: ${from} to ${to}`);
        });
        for (let epoch = 0; epoch < before + epochs + tuned; epoch++) {
          const { from, to } = phaseAt(phases, epoch);
          if (epoch < from || epoch >= to) throw new Error(`epoch ${epoch} is not in its phase`);
        }
      }),
      { seed: 1, numRuns: 200 },
    ),
  );
  t.end();
});

t.test("schedules run on while gates are fixed, and anew in fine-tuning", (t) => {
  const phases = planned({
    epochs: 9,
    fixGatesAfter: 7,
    weights: { ...adam, schedule: "linear-decay" },
    finetune: { epochs: 4, weights: { optimizer: "sgd" }, ranges: adam },
  });
  const rates = (moment: number) => learningRatesAt(phaseAt(phases, moment), moment);
  t.strictSame(rates(0), { weights: 1e-3, gates: 1e-3, ranges: 1e-3 });
  // 1 - (7 - 6)/(9 - 6), one value for the epoch.
  t.ok(Math.abs(rates(7).weights - 1e-3 * (2 / 3)) < 1e-12);
  t.equal(rates(7.9).weights, rates(7).weights);
  t.equal(rates(7).gates, 0, "gates rest");
  t.equal(rates(7).ranges, 1e-3);
  t.strictSame(rates(9), { weights: 1e-4, gates: 0, ranges: 1e-4 });
  // Half way down the cosine.
  t.ok(Math.abs(rates(11).weights - 0.5e-4) < 1e-12);
  t.ok(rates(11.5).weights < rates(11).weights, "from batch to batch");
  t.end();
});

t.test("pretraining has its own schedule, and training begins its own behind it", (t) => {
  const weights = { ...adam, learningRate: 0.01, schedule: "cosine" };
  const phases = planned({ epochs: 4, pretrain: { epochs: 2, weights } });
  const rates = (moment: number) => learningRatesAt(phaseAt(phases, moment), moment);
  t.strictSame(rates(0), { weights: 0.01, gates: 0, ranges: 0 });
  t.ok(Math.abs(rates(1).weights - 0.005) < 1e-12, "half way down the cosine");
  t.strictSame(rates(2), { weights: 1e-3, gates: 1e-3, ranges: 1e-3 });
  t.strictSame(
    phases.map(({ quantizes }) => quantizes),
    [false, true],
  );
  t.end();
});

t.test("post-training leaves the weights alone", (t) => {
  const phases = planned({ epochs: 2, finetune: { epochs: 1 } }, { trainsWeights: false, prior: noPrior });
  for (const phase of phases) t.equal(learningRatesAt(phase, phase.from).weights, 0);
  t.end();
});
