import t from "tap";
import { type FrozenNetwork, isFrozenLayer } from "../../src/export/frozen-network.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { readModel } from "../../src/export/onnx/read-model.ts";
import { lowerTflite } from "../../src/export/tflite/lower-tflite.ts";
import type { RowWidth } from "../../src/quantization/row-groups.ts";
import { frozenNetwork, plainPlan } from "../fixtures/frozen-networks.ts";
import { withMixedRows } from "../fixtures/mixed-rows.ts";
import { initializer } from "../fixtures/onnx-values.ts";

const options = { input: "uint8", metadata: {} } as const;
const network = (mix: readonly RowWidth[]) => withMixedRows(frozenNetwork(plainPlan), { seed: 2, mix });
const ids = (network: FrozenNetwork) => network.nodes.filter(isFrozenLayer).map(({ id }) => id);

t.test("notes say where a form widens rows", async (t) => {
  const mixed = network([2, 8]);
  t.strictSame(
    lower(mixed, "qonnx", options).notes,
    ids(mixed).map((id) => `${id}.weight has rows of 2 and 8 bits: its Quant node says 8 for all`),
  );
  t.match(
    lowerTflite(mixed, options).notes.join("\n"),
    /conv2\.weight has rows of 2 and 8 bits: all are stored in int8/,
  );
  t.strictSame(lower(mixed, "packed", options).notes, []);
});

t.test("rows of 16 bits make a layer compute in float32, the others keep their widths", async (t) => {
  const mixed = network([2, 16]);
  const { bytes, notes } = lower(mixed, "compact", options);
  t.match(
    notes.join("\n"),
    /conv2 computes in float32: its weight has 16 bits; its weight is stored in int2 and int16/,
  );
  const read = readModel(bytes, "compact");
  for (const layer of mixed.nodes.filter(isFrozenLayer)) {
    if (layer.weight.bits === 32) continue;
    for (const bits of [2, 16]) {
      const rows = layer.weight.channelBits!.filter((own) => own === bits).length;
      t.equal(
        initializer(read, `${layer.id}.weight.codes.int${bits}`).dims[0],
        rows,
        `${layer.id}: rows of ${bits} bits`,
      );
    }
  }
});

t.test("rows that lie in runs have no order in the file", async (t) => {
  const mixed = network([8, 2]);
  const sorted = {
    ...mixed,
    nodes: mixed.nodes.map((node) =>
      isFrozenLayer(node) && node.weight.bits !== 32
        ? {
            ...node,
            weight: { ...node.weight, channelBits: Uint8Array.from(node.weight.channelBits!).sort().reverse() },
          }
        : node,
    ),
  };
  const orders = (network: FrozenNetwork) =>
    readModel(lower(network, "packed", options).bytes, "packed").graph.node.filter(({ opType }) => opType === "Gather");
  t.ok(orders(mixed).length > 0);
  t.equal(orders(sorted).length, 0);
});
