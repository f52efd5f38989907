import { readFileSync } from "node:fs";
import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { noPrior, plainOf } from "../../src/methods/method.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/runs/safetensors.ts";
import { createModel } from "../../src/training/model.ts";
import { planPhases } from "../../src/training/phases.ts";
import { restoreSnapshot, takeSnapshot } from "../../src/training/snapshot.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { anyEngine } from "../fixtures/engines.ts";

const network = lenet5({ inputShape: [16, 17, 1], classes: 7, widths: [2, 3, 4] });

/** A trainer at its start, as a run of these settings has it. */
async function startedWith(settings: object) {
  const { ops } = await anyEngine();
  const config = configSchema.parse({
    ...{ name: "test", data: { name: "mnist" }, network: { name: "lenet5" } },
    ...settings,
  });
  const method = createMethod(config.method, 1);
  const prepared = method.prepare(plainOf(method, network));
  const model = createModel(prepared, { ops, seed: 5, quantizers: method.quantizers(prepared) });
  const phases = planPhases(config.training, { trainsWeights: method.trainsWeights, prior: noPrior });
  return { trainer: new Trainer(model, phases[0]!.groups), phases };
}

const checkpoint = (name: string) => {
  const place = `test/fixtures/checkpoints/${name}.safetensors`;
  return decodeSafetensors(readFileSync(place), place).tensors;
};

for (const { name, settings, learned } of [
  {
    name: "gates",
    settings: { method: { name: "bayesian-bits" }, training: { epochs: 1 } },
    learned: {
      "conv1.weight.quantizer": [2, [1], 0.8979952908877322],
      "conv1.quantizer": [2, null, 1.05353083264601],
      "conv2.weight.quantizer": [2, [1], 0.9066811706036613],
      "conv2.quantizer": [4, null, 0.9438586759289972],
      "fc1.weight.quantizer": [2, [2], 1.056437968447215],
      "fc1.quantizer": [4, null, 0.9173599325370992],
      "fc2.weight.quantizer": [4, null, 0.9632301615426089],
    },
  },
  {
    name: "grids",
    settings: { method: { name: "nearest", bits: { weights: 3 } }, training: { from: "elsewhere" } },
    learned: {
      "conv1.weight.quantizer": [3, null, 0.2089026216417551],
      "conv1.quantizer": [8, null, 2.2485974621772766],
      "conv2.weight.quantizer": [3, null, 0.14833492040634155],
      "conv2.quantizer": [8, null, 0.7351140975952148],
      "fc1.weight.quantizer": [3, null, 0.6122975274920464],
      "fc1.quantizer": [8, null, 0.28336161375045776],
      "fc2.weight.quantizer": [3, null, 0.5772077515721321],
    },
  },
] as const) {
  t.test(`the checkpoint of an earlier version with ${name} is taken up, and written the same`, async (t) => {
    const started = await startedWith(settings);
    const tensors = checkpoint(name);
    restoreSnapshot(started, tensors, { step: 30, epoch: 0 });
    const { inPhase: model } = started.trainer;
    t.strictSame(
      Object.fromEntries(Array.from(model.quantizers, ([id, { bits, kept, xMax }]) => [id, [bits, kept, xMax]])),
      learned,
    );
    const written = takeSnapshot(started.trainer);
    t.strictSame([...written.keys()], [...tensors.keys()]);
    t.ok(Buffer.from(encodeSafetensors(written, {})).equals(encodeSafetensors(tensors, {})));
  });
}
