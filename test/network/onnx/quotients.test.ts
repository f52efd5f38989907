import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

async function imported(opset: number, build: (file: FileWriter) => string | readonly string[]) {
  const file = new FileWriter(opset);
  const outputs = [build(file)].flat();
  const { network } = await agreeingGraph(ops, file.file(...outputs), file.inputs);
  return network.nodes.map(({ kind }) => kind);
}

const image = (file: FileWriter) =>
  file.op("Conv", [file.input("x", [3, 4, 5]), file.floats([4, 3, 1, 1])], { kernel_shape: [1, 1] });
const positive = (file: FileWriter, x: string) => file.op("Add", [file.op("Mul", [x, x]), file.number(0.1)]);

t.test("quotients, roots and reciprocals of what is computed", async (t) => {
  await t.resolves(
    imported(13, (file) => {
      const x = image(file);
      const divisor = positive(file, file.op("ReduceMean", [x], { axes: [1] }));
      return [
        file.op("Div", [x, divisor]),
        file.op("Div", [file.floats([4, 1, 1]), positive(file, x)]),
        file.op("Reciprocal", [file.op("Sqrt", [divisor])]),
        file.op("Pow", [divisor, file.number(-0.5)]),
        file.op("Mul", [x, file.op("Sqrt", [file.number(2)])]),
      ];
    }),
  );
  const integers = imported(13, (file) => {
    const [x, y] = [file.input("a", [5], 7), file.input("b", [5], 7)];
    const quotient = file.op("Cast", [file.op("Div", [x, y])], { to: 1 });
    return file.op("MatMul", [quotient, file.floats([5, 2])]);
  });
  await t.rejects(integers, { message: /Div ".*": it divides integers that are computed/ });
});

t.test("the response normalization of ConvNeXt V2", async (t) => {
  await t.resolves(
    imported(17, (file) => {
      const x = file.op("Transpose", [image(file)], { perm: [0, 2, 3, 1] });
      const norm = file.op("ReduceL2", [x], { axes: [1, 2], keepdims: 1 });
      const mean = file.op("Add", [file.op("ReduceMean", [norm], { axes: [-1] }), file.number(1e-6)]);
      const scaled = file.op("Mul", [x, file.op("Div", [norm, mean])]);
      const whole = file.op("Add", [file.floats([4]), file.op("Mul", [scaled, file.floats([4])])]);
      return file.op("Add", [x, whole]);
    }),
  );
});

t.test("rows of length 1, repeated to what they divide or not", async (t) => {
  for (const repeats of ["no", "to its shape", "to numbers"]) {
    await t.resolves(
      imported(18, (file) => {
        const x = file.op("MatMul", [file.input("x", [3, 5]), file.floats([5, 6])]);
        const norm = file.op("ReduceL2", [x, file.integers([-1])], { keepdims: 1 });
        const length = file.op("Clip", [norm, file.number(1e-12)]);
        const shape = repeats === "to numbers" ? file.integers([1, 3, 6]) : file.op("Shape", [x]);
        const divisor = repeats === "no" ? length : file.op("Expand", [length, shape]);
        return file.op("Div", [x, divisor]);
      }),
      repeats,
    );
  }
});

t.test("the largest over space, or over any axes", async (t) => {
  const kinds = await imported(18, (file) => {
    const x = image(file);
    const sequence = file.op("MatMul", [file.input("y", [3, 5]), file.floats([5, 6])]);
    return [
      file.op("Gemm", [file.op("Flatten", [file.op("GlobalMaxPool", [x])]), file.floats([4, 2])]),
      file.op("ReduceMax", [x, file.integers([2, 3])], { keepdims: 0 }),
      file.op("ReduceMax", [x, file.integers([1])]),
      file.op("ReduceMax", [sequence, file.integers([-1])], { keepdims: 0 }),
      file.op("ReduceMax", [sequence, file.integers([1])]),
    ];
  });
  t.equal(kinds.filter((kind) => kind === "max-pool").length, 5);
  await t.resolves(
    imported(13, (file) =>
      file.op("GlobalMaxPool", [file.op("Conv", [file.input("x", [3, 6]), file.floats([4, 3, 1])])]),
    ),
    "over lines",
  );
});
