import { join } from "node:path";
import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { silent } from "../../src/core/progress.ts";
import { exportFile } from "../../src/export/export-file.ts";
import { freeze } from "../../src/export/freeze.ts";
import { anyEngine, nativeMissing } from "../fixtures/engines.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { disposeModel, freezeInput, narrowNetworks, randomModel } from "../fixtures/random-models.ts";
import { classifying, sameClassOf } from "../fixtures/tasks.ts";

t.test("networks in float32 with batch normalization export and verify", { skip: nativeMissing() }, async (t) => {
  const { ops } = await anyEngine();
  const file = join(t.testdir(), "model.onnx");
  for (const name of ["vgg7", "resnet20-B", "mobilenetv2", "gated-residuals", "responses"]) {
    const network = narrowNetworks[name]!();
    const model = randomModel(ops, { network, seed: 3 });
    const frozen = freeze({ ...freezeInput(model), network, quantizers: new Map() });
    disposeModel(model);
    const options = { input: "uint8", metadata: {}, test: randomImages(frozen, 20), ops, reporter: silent } as const;
    for (const form of onnxForms) {
      const timed = name === "resnet20-B" && form === "packed";
      // As it is timed beside a quantized network.
      const unpruned = timed ? frozen : undefined;
      const { verification } = await exportFile({
        ...options,
        network: frozen,
        unpruned,
        form,
        file,
        agreement: classifying(frozen.classes.length).agreement(null),
      });
      t.equal(sameClassOf(verification!), 100, `${name}, ${form}: classes`);
      t.equal(verification!.latency?.length, timed ? 2 : undefined);
    }
  }
});
