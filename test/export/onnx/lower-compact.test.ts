import t from "tap";
import { isFrozenLayer } from "../../../src/export/frozen-network.ts";
import { kernelsOf } from "../../../src/export/kernels.ts";
import { lowerCompact } from "../../../src/export/onnx/lower-compact.ts";
import { lowerInt8 } from "../../../src/export/onnx/lower-int8.ts";
import { packedBytes } from "../../../src/export/onnx/packing.ts";
import { opsetOf, readModel } from "../../../src/export/onnx/read-model.ts";
import { storedBits } from "../../../src/quantization/levels.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { initializer } from "../../fixtures/onnx-values.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();
const options = { input: "uint8", metadata: {} } as const;

for (const [name, make] of Object.entries(narrowNetworks)) {
  t.test(`${name}: weights in their bits, layers in the kernels of the int8 form`, async (t) => {
    for (const bits of [[2], [4], [2, 4, 8], [16], [32]] as const) {
      for (const weightRanges of ["per-tensor", "per-channel"] as const) {
        const model = randomModel(ops, { network: make(), seed: 4, bits, pruned: 0.3, weightRanges });
        const network = freezeModel(model);
        disposeModel(model);
        const { bytes } = lowerCompact(network, options);
        const read = readModel(bytes, "compact");
        for (const { id, weight } of network.nodes.filter(isFrozenLayer)) {
          const elements = weight.shape.reduce((product, size) => product * size, 1);
          const stored = initializer(read, weight.bits === 32 ? `${id}.weight` : `${id}.weight.codes`);
          t.equal(stored.bytes.length, packedBytes(storedBits(weight.bits), elements), `${id} at ${weight.bits} bits`);
        }
        if (weightRanges === "per-channel" && bits.length === 1) continue;
        const title = `${bits} bits, ${weightRanges}`;
        const { integer, float, operators } = await kernelsOf(bytes);
        const int8 = await kernelsOf(lowerInt8(network, options).bytes);
        t.ok(
          integer >= int8.integer && float.length <= int8.float.length,
          `${title}: ${integer}, int8 ${int8.integer}`,
        );
        const casts = (types: readonly string[]) => types.filter((type) => type === "Cast").length;
        t.equal(casts(operators), casts(int8.operators), `${title}: what makes 8 bits of the codes is gone at load`);
      }
    }
  });
}

t.test("the operator set is the lowest that has the types", async (t) => {
  for (const [bits, opset] of [
    [2, 25],
    [4, 21],
    [8, 13],
  ] as const) {
    const network = freezeModel(
      randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 1, bits: [bits], pruned: 0 }),
    );
    t.equal(opsetOf(readModel(lowerCompact(network, options).bytes, "compact")), opset, `${bits} bits`);
  }
});
