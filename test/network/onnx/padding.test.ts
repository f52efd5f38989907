import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

type Attributes = Parameters<FileWriter["op"]>[2];

/** An image of [3, 5, 4] behind a convolution, padded, before another one. */
function padded(opset: number, pads: readonly number[], attributes: Attributes, axes?: readonly number[]) {
  const file = new FileWriter(opset);
  const conv = (x: string, inputs: number) =>
    file.op("Conv", [x, file.floats([4, inputs, 1, 1])], { kernel_shape: [1, 1] });
  const first = conv(file.input("x", [3, 5, 4]), 3);
  const inputs = opset < 11 ? [] : [file.integers(pads), ...(axes === undefined ? [] : ["", file.integers(axes)])];
  const result = file.op("Pad", [first, ...inputs], { ...attributes, ...(opset < 11 && { pads }) });
  return agreeingGraph(ops, file.file(conv(result, 4)), file.inputs);
}

t.test("an axis repeats its own items at its ends", async (t) => {
  for (const mode of ["edge", "reflect"])
    for (const pads of [
      [0, 0, 1, 2, 0, 0, 3, 1],
      [0, 0, 0, 3, 0, 0, 0, 0],
    ])
      await t.resolves(padded(13, pads, { mode }), `${mode}, ${pads}`);
  await t.resolves(padded(19, [0, 0, 2, 1, 0, 0, 0, 3], { mode: "wrap" }));
  await t.resolves(padded(19, [1, 2], { mode: "edge" }, [3]), "axes that are named");
});

t.test("pads of older files are attributes", async (t) => {
  for (const mode of ["constant", "edge", "reflect"])
    await t.resolves(padded(9, [0, 0, 1, 0, 0, 0, 1, 2], { mode }), mode);
});

t.test("what cannot be repeated is refused", async (t) => {
  await t.rejects(padded(13, [0, 0, 5, 0, 0, 0, 0, 0], { mode: "reflect" }), { message: /it mirrors 5 of 5 places/ });
  await t.rejects(padded(13, [0, 0, 0, 70, 0, 0, 0, 0], { mode: "edge" }), {
    message: /it picks the items 0, 0, 0, .* in 71 pieces, expected 64 at most/,
  });
});

t.test("items of an axis are picked in any order", async (t) => {
  for (const places of [
    [3, 0, 0, 4],
    [4, 3, 2, 1, 0],
    [1, 2, 3],
  ]) {
    const file = new FileWriter(13);
    const layer = file.op("Gemm", [file.input("x", [6]), file.floats([6, 5])]);
    const picked = file.op("Gather", [layer, file.integers(places)], { axis: 1 });
    await t.resolves(agreeingGraph(ops, file.file(picked), file.inputs), places.join());
  }
});
