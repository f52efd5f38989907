import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { stepGates } from "../../src/training/loop.ts";
import { createModel } from "../../src/training/model.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { classifying } from "../fixtures/tasks.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Of what is not garbage: how much of that is there is chance. */
function residentMemory(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

const steps = 1000;
const batch = 4;

t.test(`${steps} steps leak nothing`, { skip: nativeMissing() }, async (t) => {
  const { ops } = await loadEngine({ kind: "native" });
  const network = insertQuantizers(lenet5({ inputShape: [28, 28, 1], classes: 10 }));
  const initial = { prune: 6, bits4: 6, bits8: 2, bits16: -6, bits32: -6 };
  const model = createModel(network, {
    ops,
    seed: 1,
    quantizers: createQuantizers(network, { pruning: true, initial, prior: "bop" }),
  });
  const adam = { optimizer: "adam", weightDecay: 0 } as const;
  const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
  const labels = Int32Array.from({ length: batch }, (_, image) => image);
  let live = 0;
  let early = 0;
  for (let step = 0; step < steps; step++) {
    const pixels = new Uint8Array(batch * 784).fill(step % 256);
    trainer.train(
      () => ({
        images: ops.normalize(ops.tensor(pixels, [batch, 28, 28, 1]), { mean: [0], deviation: [1] }),
        targets: [ops.tensor(labels, [batch])],
      }),
      stepGates(model, 1, step),
      { task: classifying(10), priorStrength: 0.01, learningRates: { weights: 1e-4, gates: 1e-3, ranges: 1e-4 } },
    );
    if (step === 0) live = ops.liveTensors();
    else if (ops.liveTensors() !== live)
      throw new Error(`step ${step}: ${ops.liveTensors()} tensors, ${live} after the first`);
    if (step === 500) early = residentMemory();
  }
  const growth = residentMemory() / early - 1;
  t.ok(growth < 0.05, `resident memory grew by ${(100 * growth).toFixed(2)} % from step 500 to ${steps}`);
});
