import t from "tap";
import type { Ops, Tensor } from "../../src/engine/ops.ts";
import type { Network } from "../../src/kinds/index.ts";
import { forward } from "../../src/network/passes.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { initializeStatistics } from "../../src/training/initial-statistics.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { passOf, soleInput } from "../../src/training/pass.ts";
import { anyEngine, near, random } from "../fixtures/engines.ts";

const shape = [16, 8, 8, 3] as const;
const plain = cifarResNet("resnet20", 20, { inputShape: [8, 8, 3], classes: 4, widths: [4, 6, 8] });
const initial = { prune: 6, bits4: 6, bits8: 6, bits16: 6, bits32: 6 };

function modelOf(network: Network, ops: Ops): Model {
  return createModel(network, {
    ops,
    seed: 3,
    quantizers: createQuantizers(network, { pruning: true, initial, prior: "bop" }),
  });
}
const imagesOf = (ops: Ops) => (): Tensor => ops.tensor(random(4, "images", shape, 2), shape);

t.test("first statistics of a folded network are those of the plain one", async (t) => {
  const { ops } = await anyEngine();
  const before = ops.liveTensors();
  const reference = modelOf(plain, ops);
  ops.scope(
    () =>
      forward(plain, passOf(reference, new Map(), soleInput(plain, imagesOf(ops)()), { training: true, momentum: 1 }), {
        keep: false,
      }),
    () => [],
  );
  const folded = modelOf(insertQuantizers(plain), ops);
  initializeStatistics(folded, imagesOf(ops));
  t.ok(folded.statistics.size > 0);
  for (const [id, { mean, variance }] of folded.statistics) {
    const expected = reference.statistics.get(id)!;
    t.doesNotThrow(() => near(mean, expected.mean, 1e-3), `${id}: mean`);
    t.doesNotThrow(() => near(variance, expected.variance, 2e-3), `${id}: variance`);
    t.notOk(variance.every((value) => value === 1));
  }
  for (const model of [reference, folded]) for (const variable of model.parameters.values()) ops.dispose(variable);
  t.equal(ops.liveTensors(), before);
});
