import t from "tap";
import { refuseEmptyLayers } from "../../src/training/channels-left.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { narrowNetworks, randomModel } from "../fixtures/random-models.ts";

const { ops } = await anyEngine();

t.test("a layer that loses its last channel stops the training and is named", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 1, pruned: 0.9 });
  const gates = model.quantizers.get("conv2.weight.quantizer")!.prune!;
  gates.fill(-6).fill(6, 0, 1);
  t.doesNotThrow(() => refuseEmptyLayers(model, 7), "one channel is enough");
  gates.fill(-6);
  t.throws(() => refuseEmptyLayers(model, 7), {
    name: "UserError",
    message: /at step 7: the last of the 6 channels of conv2/,
  });
});

t.test("a residual branch may lose all its gates", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks["resnet20-A"]!(), seed: 1, pruned: 0 });
  model.quantizers.get("stage1.block2.conv2.weight.quantizer")!.prune!.fill(-6);
  t.doesNotThrow(() => refuseEmptyLayers(model, 7));
  model.quantizers.get("stage1.block2.conv1.weight.quantizer")!.prune!.fill(-6);
  t.throws(() => refuseEmptyLayers(model, 7), { message: /channels of stage1\.block2\.conv1/ });
});
