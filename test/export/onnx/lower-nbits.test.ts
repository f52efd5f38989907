import t from "tap";
import { isFrozenLayer } from "../../../src/export/frozen-network.ts";
import { kernelsOf } from "../../../src/export/kernels.ts";
import { lowerNbits } from "../../../src/export/onnx/lower-nbits.ts";
import { readModel } from "../../../src/export/onnx/read-model.ts";
import { storedBits } from "../../../src/quantization/levels.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { withMixedRows } from "../../fixtures/mixed-rows.ts";
import { initializer } from "../../fixtures/onnx-values.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();

t.test("dense layers are MatMulNBits on packed blocks, convolutions stay in integers", async (t) => {
  for (const bits of [2, 4, 8] as const) {
    const make = narrowNetworks.lenet5!;
    const model = randomModel(ops, {
      network: make(),
      seed: 8,
      bits: [bits],
      pruned: 0.2,
      weightRanges: "per-channel",
    });
    const network = freezeModel(model);
    disposeModel(model);
    const { bytes, notes } = lowerNbits(network, { input: "uint8", metadata: {} });
    const dense = network.nodes.filter(isFrozenLayer).filter(({ kind }) => kind === "dense");
    const { integer, float, operators } = await kernelsOf(bytes);
    t.equal(integer, 2, `${bits} bits: two convolutions`);
    t.strictSame(
      float,
      dense.map(({ id }) => id),
    );
    t.equal(operators.filter((type) => type === "MatMulNBits").length, dense.length);
    t.strictSame(
      notes,
      dense.map(({ id }) => `${id} computes in float32: MatMulNBits; its weight is stored in int${bits}`),
    );
    const read = readModel(bytes, "nbits");
    for (const { id, weight } of dense) {
      const [inputs, outputs] = weight.shape as [number, number];
      const { dims, bytes: stored } = initializer(read, `${id}.weight.codes`);
      const [rows, blocks, blockBytes] = dims as [number, number, number];
      t.equal(stored.length, rows * blocks * blockBytes);
      t.equal(rows, outputs);
      const block = (8 * blockBytes) / storedBits(bits);
      t.ok(blocks * block >= inputs && (blocks - 1) * block < inputs, `${id}: ${blocks} blocks of ${block}`);
      t.equal(initializer(read, `${id}.weight.scale`).bytes.length, 4 * outputs * blocks);
    }
  }
});

t.test("rows of each width are one MatMulNBits, and outputs keep their order", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 8, bits: [8], pruned: 0 });
  const network = withMixedRows(freezeModel(model), { seed: 3, mix: [2, 4, 8] });
  disposeModel(model);
  const { bytes, notes } = lowerNbits(network, { input: "uint8", metadata: {} });
  const { operators } = await kernelsOf(bytes);
  const dense = network.nodes.filter(isFrozenLayer).filter(({ kind }) => kind === "dense");
  t.equal(operators.filter((type) => type === "MatMulNBits").length, 3 * dense.length);
  t.match(notes, [
    new RegExp(`${dense[0]!.id} computes in float32: MatMulNBits; its weight is stored in int2, int4 and int8`),
  ]);
  const read = readModel(bytes, "nbits");
  for (const { id, weight } of dense) {
    if (weight.bits === 32) continue;
    for (const bits of [2, 4, 8]) {
      const rows = weight.channelBits!.filter((own) => own === bits).length;
      t.equal(initializer(read, `${id}.int${bits}.weight.codes`).dims[0], rows, `${id}: rows of ${bits} bits`);
    }
  }
});
