import t from "tap";
import { exportForm } from "../../../src/export/export-forms.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { outputName } from "../../../src/export/onnx/model-frame.ts";
import { Reference } from "../../../src/export/reference.ts";
import { RuntimeModel } from "../../../src/export/runtime.ts";
import { batchOf } from "../../../src/export/test-batches.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { randomImages } from "../../fixtures/frozen-networks.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";
import { whole } from "../../fixtures/splits.ts";
import { withCodebooks } from "../../fixtures/with-codebooks.ts";

const { ops } = await anyEngine();
const input = "float";

for (const name of ["lenet5", "resnet20-B"]) {
  t.test(`${name}: codes of 2 to 16 bits give the trainer's logits`, async (t) => {
    const model = randomModel(ops, { network: narrowNetworks[name]!(), seed: 4, bits: [32], pruned: 0 });
    const network = withCodebooks(freezeModel(model), 4);
    disposeModel(model);
    const { forFile, normalized, shape } = batchOf(await whole(randomImages(network, 20)), { network, ops, input });
    const [count, channels, ...size] = shape;
    const reference = new Reference(ops, network);
    const logits = reference.logits(ops.tensor(normalized, [count!, ...size, channels!]));
    const expected = Float32Array.from(ops.read(logits));
    ops.release(logits);
    reference.release();
    for (const form of ["compact", "nbits", "fp32"] as const) {
      const { bytes, notes } = lower(network, form, { input, metadata: {} });
      const runtime = await RuntimeModel.load(bytes, form);
      const found = (await runtime.run(forFile, shape)).get(outputName) as Float32Array;
      await runtime.release();
      const apart = Math.max(...expected.map((value, index) => Math.abs(value - found[index]!)));
      t.ok(apart < 1e-4, `${form}: ${apart} apart`);
      if (form === "compact") t.match(notes.join("\n"), /codes of 8 bits into 200 blocks of \d float16 numbers/);
    }
    for (const form of ["int8", "packed", "qonnx", "tflite", "c-array"] as const)
      t.throws(() => exportForm(network, form, { input: "uint8", metadata: {} }), {
        name: "UserError",
        message: new RegExp(`^cannot export ${form}: expected compact, nbits or fp32`),
      });
  });
}
