import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

function imported(opset: number, build: (file: FileWriter) => string) {
  const file = new FileWriter(opset);
  return agreeingGraph(ops, file.file(build(file)), file.inputs);
}

const conv = (file: FileWriter, x: string, inputs: number, kernel: 1 | 3) =>
  file.op("Conv", [x, file.floats([4, inputs, kernel, kernel])], { kernel_shape: [kernel, kernel] });

t.test("up to operator set 10 pads are an attribute", async (t) => {
  const padded = (opset: number, attributes: Parameters<FileWriter["op"]>[2]) =>
    imported(opset, (file) => conv(file, file.op("Pad", [file.input("x", [3, 4, 5])], attributes), 3, 3));
  const pads = [0, 0, 1, 2, 0, 0, 0, 1];
  await t.resolves(padded(7, { mode: "constant", pads }));
  await t.resolves(padded(10, { pads, value: { float: 0 } }));
  await t.rejects(padded(10, { pads, value: { float: 2 } }), { message: /Pad ".*": it pads with 2, expected 0/ });
});

t.test("what is pooled globally is padded as an image of one pixel", async (t) => {
  const around = (file: FileWriter, x: string, pads: readonly number[]) => file.op("Pad", [x, file.integers(pads)]);
  const rows = [0, 0, 1, 1, 0, 0, 1, 1];
  const pooled = (file: FileWriter) => file.op("GlobalAveragePool", [file.input("x", [3, 4, 5])]);
  await t.resolves(imported(13, (file) => conv(file, around(file, pooled(file), rows), 3, 3)));
  await t.resolves(imported(13, (file) => conv(file, around(file, conv(file, pooled(file), 3, 1), rows), 4, 1)));
  await t.resolves(imported(13, (file) => conv(file, around(file, pooled(file), [0, 0, 0, 0, 0, 1, 0, 0]), 4, 1)));
  await t.resolves(imported(13, (file) => conv(file, around(file, pooled(file), [0, 0, 0, 0, 0, 0, 0, 0]), 3, 1)));
});

t.test("a matrix of more axes than it multiplies is refused", async (t) => {
  const product = (x: readonly number[], weight: readonly number[]) =>
    imported(13, (file) => file.op("MatMul", [file.input("x", x), file.floats(weight)]));
  await t.resolves(product([4, 5], [1, 5, 3]));
  await t.rejects(product([5], [1, 5, 3]), {
    message: /MatMul ".*": it multiplies \[batch, 5\] by \[1,5,3\], which puts an axis before the batch/,
  });
});
