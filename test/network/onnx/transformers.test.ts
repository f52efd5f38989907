import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();
const [HEADS, WIDTH, UNITS] = [2, 3, 6];
const LAST = 2 ** 62;

const kindsOf = ({ network }: Awaited<ReturnType<typeof agreeingGraph>>) => {
  const counts: Record<string, number> = {};
  for (const { kind } of network.nodes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

/** Patches of an image with a class token in front, and where they stand. */
function patches(file: FileWriter): string {
  const image = file.input("image", [3, 8, 4]);
  const conv = file.op("Conv", [image, file.floats([UNITS, 3, 4, 2]), file.floats([UNITS])], {
    kernel_shape: [4, 2],
    strides: [4, 4],
  });
  const rows = file.op("Reshape", [conv, file.integers([-1, UNITS, 2])]);
  const sequence = file.op("Transpose", [rows], { perm: [0, 2, 1] });
  const batch = file.op("Shape", [image], { start: 0, end: 1 });
  const sizes = file.op("Concat", [batch, file.integers([1, 1])], { axis: 0 });
  const token = file.op("Expand", [file.floats([1, 1, UNITS]), sizes]);
  const all = file.op("Concat", [token, sequence], { axis: 1 });
  return file.op("Add", [all, file.floats([1, 3, UNITS])]);
}

t.test("a vision transformer as PyTorch's new exporter writes it", async (t) => {
  const file = new FileWriter(20);
  const linear = (x: string, inputs: number, outputs: number) =>
    file.op("Add", [file.op("MatMul", [x, file.floats([inputs, outputs])]), file.floats([outputs])]);
  const norm = (x: string) =>
    file.op("LayerNormalization", [x, file.floats([UNITS], { centre: 1 }), file.floats([UNITS])], {
      axis: -1,
      epsilon: { float: 1e-3 },
    });
  const x = patches(file);
  const projected = file.op("Reshape", [linear(norm(x), UNITS, 3 * UNITS), file.integers([-1, 3, 3, HEADS, WIDTH])]);
  const heads = file.op("Transpose", [projected], { perm: [2, 0, 3, 1, 4] });
  const [query, key, value] = [0, 1, 2].map((index) => {
    const cut = file.op("Slice", [heads, file.integers([index]), file.integers([index + 1]), file.integers([0])]);
    return file.op("Squeeze", [cut, file.integers([0])]);
  }) as [string, string, string];
  // Keys are turned by way of a batch of all heads.
  const shape = file.op("Shape", [key]);
  const part = (start: number, end: number) => file.op("Slice", [shape, file.integers([start]), file.integers([end])]);
  const [outer, length, width] = [part(-LAST, -2), part(-2, -1), part(-1, LAST)];
  const flat = file.op("Reshape", [key, file.op("Concat", [file.integers([-1]), length, width], { axis: 0 })]);
  const turned = file.op("Transpose", [flat], { perm: [0, 2, 1] });
  const keys = file.op("Reshape", [turned, file.op("Concat", [outer, width, length], { axis: 0 })]);
  const scaled = [query, keys].map((one) => file.op("Mul", [one, file.number(0.75)])) as [string, string];
  const attention = file.op("Softmax", [file.op("MatMul", scaled)], { axis: -1 });
  const mixed = file.op("Transpose", [file.op("MatMul", [attention, value])], { perm: [0, 2, 1, 3] });
  const sum = file.op("Add", [x, linear(file.op("Reshape", [mixed, file.integers([-1, 3, UNITS])]), UNITS, UNITS)]);
  const hidden = file.op("Gelu", [linear(norm(sum), UNITS, 9)], { approximate: "none" });
  const end = norm(file.op("Add", [sum, linear(hidden, 9, UNITS)]));
  const first = file.op("Gather", [end, file.integers(0)], { axis: 1 });
  const logits = file.op("Gemm", [first, file.floats([4, UNITS]), file.floats([4])], { transB: 1 });
  const imported = await agreeingGraph(ops, file.file(logits, end), file.inputs);
  const { concat, matmul, softmax, transpose, "layer-norm": norms, affine } = kindsOf(imported);
  t.match({ matmul, softmax, norms, concat }, { matmul: 2, softmax: 1, norms: 3, concat: undefined });
  // The image, queries, keys, values and what comes of them; places and token are one summand, two factors are their own.
  t.equal(transpose, 5);
  t.equal(affine, 3);
});

t.test("an encoder as older exporters write it", async (t) => {
  const file = new FileWriter(11);
  const linear = (x: string, inputs: number, outputs: number) =>
    file.op("Add", [file.op("MatMul", [x, file.floats([inputs, outputs])]), file.floats([outputs])]);
  const norm = (x: string) => {
    const centred = file.op("Sub", [x, file.op("ReduceMean", [x], { axes: [-1] })]);
    const variance = file.op("ReduceMean", [file.op("Pow", [centred, file.number(2)])], { axes: [-1] });
    const deviation = file.op("Sqrt", [file.op("Add", [variance, file.number(1e-3)])]);
    const scaled = file.op("Mul", [file.op("Div", [centred, deviation]), file.floats([UNITS], { centre: 1 })]);
    return file.op("Add", [scaled, file.floats([UNITS])]);
  };
  const tokens = file.input("tokens", [5], 7);
  const mask = file.input("mask", [5], 7);
  const words = file.op("Gather", [file.floats([10, UNITS]), tokens], { axis: 0 });
  const places = file.op("Gather", [file.floats([8, UNITS]), file.integers([0, 1, 2, 3, 4])], { axis: 0 });
  const x = norm(file.op("Add", [words, places]));
  const hidden = file.op("Unsqueeze", [mask], { axes: [1, 2] });
  const inverse = file.op("Sub", [file.number(1), file.op("Cast", [hidden], { to: 1 })]);
  const bias = file.op("Mul", [inverse, file.number(-1e4)]);
  const split = file.many("Split", [linear(x, UNITS, 3 * UNITS)], 3, { axis: 2 });
  const [query, key, value] = split.map((one, index) =>
    file.op("Transpose", [file.op("Reshape", [one, file.integers([0, 0, HEADS, WIDTH])])], {
      perm: index === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3],
    }),
  ) as [string, string, string];
  const scores = file.op("Div", [file.op("MatMul", [query, key]), file.number(1.5)]);
  const attention = file.op("Softmax", [file.op("Add", [scores, bias])], { axis: 3 });
  const mixed = file.op("Transpose", [file.op("MatMul", [attention, value])], { perm: [0, 2, 1, 3] });
  const sum = norm(file.op("Add", [x, linear(file.op("Reshape", [mixed, file.integers([0, 0, -1])]), UNITS, UNITS)]));
  const wide = linear(sum, UNITS, 9);
  const erf = file.op("Erf", [file.op("Div", [wide, file.number(Math.SQRT2)])]);
  const half = file.op("Mul", [file.op("Mul", [wide, file.op("Add", [erf, file.number(1)])]), file.number(0.5)]);
  const end = file.op("Add", [sum, linear(half, 9, UNITS)]);
  const pooled = file.op("Tanh", [linear(file.op("ReduceMean", [end], { axes: [1], keepdims: 0 }), UNITS, 4)]);
  const imported = await agreeingGraph(ops, file.file(end, pooled), file.inputs, { limits: { mask: 2 } });
  const { embedding, matmul, "layer-norm": norms, slice } = kindsOf(imported);
  t.strictSame({ embedding, matmul, norms, slice }, { embedding: 1, matmul: 2, norms: 2, slice: 3 });
  t.strictSame(
    imported.network.nodes.flatMap((node) => (node.kind === "input" ? [[node.id, node.dtype, node.shape]] : [])),
    [
      ["tokens", "int32", [5]],
      ["mask", "float32", [5]],
    ],
  );
});

t.test("what stands between layers, in any order of axes", async (t) => {
  const file = new FileWriter(18);
  const image = file.input("image", [4, 6, 5]);
  const conv = file.op("Conv", [image, file.floats([4, 4, 1, 1])], { kernel_shape: [1, 1] });
  const below = file.op("PRelu", [conv, file.floats([4, 1, 1])]);
  const clipped = file.op("Clip", [below, file.number(-0.5), file.number(0.75)]);
  const difference = file.op("Sub", [clipped, file.op("Neg", [conv])]);
  const cube = file.op("Pow", [difference, file.number(3)]);
  const norm = file.op("InstanceNormalization", [cube, file.floats([4], { centre: 1 }), file.floats([4])], {
    epsilon: { float: 0.01 },
  });
  const grouped = file.op("GroupNormalization", [norm, file.floats([2], { centre: 1 }), file.floats([2])], {
    epsilon: { float: 0.01 },
    num_groups: 2,
  });
  const [starts, ends, axes, steps] = [[1], [LAST], [2], [2]].map((values) => file.integers(values)) as [
    string,
    string,
    string,
    string,
  ];
  const scales = file.floats([4], { scale: 0, centre: 1 });
  const large = file.op(
    "Resize",
    [
      conv,
      "",
      file.op(
        "Concat",
        [
          file.op("Slice", [scales, file.integers([0]), file.integers([2])]),
          file.op("Mul", [file.op("Slice", [scales, file.integers([2]), file.integers([4])]), file.number(2)]),
        ],
        { axis: 0 },
      ),
    ],
    {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    },
  );
  const odd = file.op("Slice", [grouped, starts, ends, axes, steps]);
  const tall = file.op("Concat", [odd, grouped, file.floats([1, 4, 2, 5])].slice(0, 2), { axis: 2 });
  const wide = file.op("Transpose", [tall], { perm: [0, 3, 1, 2] });
  const regrouped = file.op("Reshape", [wide, file.integers([0, 4, 45])]);
  const placed = file.op("Mul", [regrouped, file.floats([4, 45])]);
  const sums = file.op("ReduceSum", [placed, file.integers([2])], { keepdims: 0 });
  const left = file.op("MatMul", [file.floats([3, 4]), placed]);
  await t.resolves(agreeingGraph(ops, file.file(sums, left, tall, large), file.inputs));
});

t.test("a network ends where it is told to", async (t) => {
  const file = new FileWriter(17);
  const hidden = file.op("MatMul", [file.input("x", [4]), file.floats([4, 3])]);
  const beyond = file.op("Hardmax", [file.op("Relu", [hidden])]);
  const bytes = file.file(beyond, hidden);
  const imported = await agreeingGraph(ops, bytes, file.inputs, { outputs: [hidden] });
  t.strictSame(imported.outputs, [hidden]);
  await t.rejects(agreeingGraph(ops, bytes, file.inputs), { message: /Hardmax ".*": the operator is not known/ });
  await t.rejects(agreeingGraph(ops, bytes, file.inputs, { outputs: ["other"] }), {
    message: /no node makes "other", which is to be an output; the last that are made: .*MatMul_0/,
  });
});
