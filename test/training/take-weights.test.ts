import t from "tap";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { createModel } from "../../src/training/model.ts";
import { takeSnapshot } from "../../src/training/snapshot.ts";
import { takeWeights } from "../../src/training/take-weights.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { digestsOf } from "../fixtures/digests.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { disposeModel } from "../fixtures/random-models.ts";

t.test("weights of another network are refused by name, missing ones too", async (t) => {
  const { ops } = await anyEngine();
  const sgd = { optimizer: "sgd", momentum: 0, weightDecay: 0 } as const;
  const of = (seed: number, widths: readonly [number, number, number]) =>
    createModel(lenet5({ inputShape: [16, 16, 1], classes: 3, widths }), { ops, seed, quantizers: new Map() });
  const [one, same, wider] = [of(1, [2, 3, 4]), of(2, [2, 3, 4]), of(1, [3, 3, 4])];
  const trainer = new Trainer(one, { weights: sgd, gates: sgd, ranges: sgd });
  const tensors = takeSnapshot(trainer);
  t.throws(() => takeWeights(wider, tensors, "reports/one"), {
    name: "UserError",
    message:
      /cannot start from reports\/one: parameter\/conv1\.weight should have \d+ numbers, it has \d+; is it a run/,
  });
  const missing = new Map([...tensors].filter(([name]) => name !== "parameter/fc1.weight"));
  t.throws(() => takeWeights(same, missing, "reports/one"), {
    name: "UserError",
    message: /parameter\/fc1\.weight should have \d+ numbers, it is not there/,
  });
  takeWeights(same, tensors, "reports/one");
  t.strictSame(
    digestsOf(takeSnapshot(new Trainer(same, { weights: sgd, gates: sgd, ranges: sgd }))),
    digestsOf(tensors),
  );
  for (const model of [one, same, wider]) disposeModel(model);
});
