import t from "tap";
import { freeze } from "../../../src/export/freeze.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { Reference } from "../../../src/export/reference.ts";
import { onlyInput } from "../../../src/kinds/index.ts";
import { importNetwork } from "../../../src/network/onnx/import-network.ts";
import { forward } from "../../../src/network/passes.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { createModel } from "../../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../../src/training/pass.ts";
import { anyEngine, freeing, near, random } from "../../fixtures/engines.ts";
import { disposeModel, freezeInput, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";

t.test("a float32 file of ours is the same network when it is read again", async (t) => {
  const { ops } = await anyEngine();
  for (const name of ["gated-residuals", "resnet20-B"]) {
    const network = narrowNetworks[name]!();
    const model = randomModel(ops, { network, seed: 4 });
    const frozen = freeze({ ...freezeInput(model), network, quantizers: new Map() });
    disposeModel(model);
    const { bytes } = lower(frozen, "fp32", { input: "float", metadata: {} });
    const { shape } = onlyInput(network);
    const [height = 0, width = 0, channels = 0] = shape;
    const classes = frozen.classes.length;
    const options = { file: `${name}.onnx`, name, inputShape: [height, width, channels], classes } as const;
    const imported = importNetwork(readModel(bytes, options.file), options);
    const again = createModel(imported.network, { ops, seed: 1, quantizers: new Map(), initial: imported.initial });
    const images = random(2, "images", [3, ...shape]);
    const reference = new Reference(ops, frozen);
    const [expected, actual] = freeing(ops, () => {
      const tensor = () => ops.tensor(images, [3, ...shape]);
      const pass = passOf(again, testTimeGates(again), soleInput(again.network, tensor()), { training: false });
      const [output] = forward(again.network, pass, { keep: false }).outputs;
      return [reference.logits(tensor()), output!].map((values) => Float32Array.from(ops.read(values)));
    });
    t.doesNotThrow(() => near(actual!, expected!, 1e-5), name);
    reference.release();
    disposeModel(again);
  }
});
