import t from "tap";
import { kernelsOf } from "../../src/export/kernels.ts";
import { percentOf, within } from "../fixtures/bops.ts";
import { ints, node, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, sampleArray } from "../fixtures/ptq.ts";

/** Two convolutions; what the second gives is read by no layer. */
const convolutions = (opset: number): PlainModel => ({
  opset,
  inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
  outputs: [{ name: "y" }],
  nodes: [
    node("Conv", ["x", "w1", "b1"], "c1"),
    node("Relu", ["c1"], "r1"),
    node("Conv", ["r1", "w2"], "c2"),
    opset < 11 ? node("Clip", ["c2"], "clipped", [{ name: "min", type: 1, f: -1 }]) : node("Tanh", ["c2"], "clipped"),
    node("Sigmoid", ["clipped"], "y"),
  ],
  tensors: [floats("w1", [8, 3, 3, 3], 0.3), floats("b1", [8]), floats("w2", [6, 8, 3, 3], 0.3)],
});
const images = new Map([["x", sampleArray("x", [20, 3, 8, 8])]]);

t.test("what a convolution gives and no layer reads is on a grid where the convolution reads 8 bits", async (t) => {
  const model = convolutions(13);
  const { table } = (await within(3, { model, arrays: images })).plan!;
  for (const ofLast of [8, 16, 32] as const) {
    // One choice of widths is left.
    const only = [8, ofLast] as const;
    const activations = table.activations.map((one, item) => ({
      ...one,
      choices: one.choices.filter(({ bits }) => bits === only[item]),
    }));
    const budget = { limit: { relativeBops: 25 }, table: { ...table, activations } };
    const { grids, layers, bytes } = await within(25, { model, arrays: images }, { budget });
    t.strictSame([grids.get("x")?.bits, grids.get("r1")?.bits ?? 32], [8, ofLast]);
    t.equal(grids.get("c2")?.bits, ofLast === 8 ? 8 : undefined);
    // A kernel of integers reads and gives 8 bits.
    t.strictSame(
      layers.map(({ integer }) => integer),
      [ofLast === 8, ofLast === 8],
    );
    t.equal((await kernelsOf(bytes)).integer, ofLast === 8 ? 2 : 0);
  }
});

t.test("a file that cannot be raised to the operator set of 16 bits gets 8 or float", async (t) => {
  const { notes, plan, grids } = await within(5, { model: convolutions(10), arrays: images });
  t.match(notes.join(), /activations get 8 bits or stay in float: it is of operator set 10, and has Clip/);
  for (const { choices } of plan!.table.activations)
    t.strictSame(
      choices.map(({ bits }) => bits),
      [8, 32],
    );
  t.ok([...grids.values()].every(({ bits }) => bits === 8));
  const old = await within(7, { model: convolutions(9), arrays: images });
  t.match(old.notes.join(), /activations get 8 bits or stay in float: it is of operator set 9, and has Clip/);
});

t.test("what a convolution gives and a transposed one multiplies has a width of its own", async (t) => {
  const model: PlainModel = {
    ...{ opset: 13, inputs: [{ name: "x", shape: ["n", 3, 8, 8] }], outputs: [{ name: "y" }] },
    nodes: [
      node("Conv", ["x", "w1"], "c"),
      node("Relu", ["c"], "r"),
      node("ConvTranspose", ["r", "w2"], "y", [ints("strides", [2, 2])]),
    ],
    tensors: [floats("w1", [8, 3, 3, 3], 0.3), floats("w2", [8, 4, 2, 2], 0.3)],
  };
  const found = await within(6.25, { model, arrays: images }, { activations: 8 });
  t.strictSame(
    [...found.grids].map(([name, { bits }]) => [name, bits]),
    [
      ["x", 8],
      ["r", 8],
    ],
  );
  const counted = percentOf(found, { c: { macs: 8 * 36 * 27, reads: "x" }, y: { macs: 8 * 36 * 16, reads: "r" } });
  t.equal(found.plan!.plans[0]!.relativeBops, counted);
  t.ok(counted <= 6.25, `${counted} %`);
});
