import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

type Attributes = Parameters<FileWriter["op"]>[2];

/** What resizes a convolution's output of [4, 3, 2]. */
interface Case {
  readonly opset: number;
  readonly operator?: string;
  readonly inputs?: (file: FileWriter) => readonly string[];
  readonly attributes?: Attributes;
}

function fileOf({ opset, operator = "Resize", inputs = () => [], attributes = {} }: Case) {
  const file = new FileWriter(opset);
  const conv = file.op("Conv", [file.input("x", [3, 3, 2]), file.floats([4, 3, 1, 1])], { kernel_shape: [1, 1] });
  const resized = file.op(operator, [conv, ...inputs(file)], { mode: "nearest", ...attributes });
  return { bytes: file.file(resized), inputs: file.inputs };
}

const imported = (drawn: Case) => {
  const { bytes, inputs } = fileOf(drawn);
  return agreeingGraph(ops, bytes, inputs);
};

const scales = (factors: readonly number[]) => (file: FileWriter) => ["", numbers(factors)(file)];
const sizes = (wanted: readonly number[]) => (file: FileWriter) => ["", "", file.integers(wanted)];
const numbers = (values: readonly number[]) => (file: FileWriter) =>
  file.op("Cast", [file.integers(values)], { to: 1 });

const coordinates = "half_pixel half_pixel_symmetric pytorch_half_pixel asymmetric align_corners".split(" ");
const roundings = "round_prefer_floor round_prefer_ceil floor ceil".split(" ");

t.test("places are found as the two modes say, or refused", async (t) => {
  const taken = new Set<string>();
  for (const coordinate of coordinates) {
    for (const rounding of roundings) {
      for (const factor of [2, 3, 4]) {
        const attributes = { coordinate_transformation_mode: coordinate, nearest_mode: rounding };
        const drawn = { opset: 19, inputs: scales([1, 1, factor, factor]), attributes };
        try {
          await imported(drawn);
          taken.add(`${coordinate} ${rounding} ${factor}`);
        } catch (error) {
          t.match(error, { message: /Resize ".*": by ".*" and ".*" it reads some places of axis 2 more often/ });
        }
      }
    }
  }
  for (const factor of [2, 3, 4]) {
    t.ok(taken.has(`asymmetric floor ${factor}`), "as PyTorch writes it");
    t.ok(taken.has(`half_pixel round_prefer_floor ${factor}`), "as nothing says");
  }
  t.ok(taken.has("asymmetric round_prefer_floor 2"));
  t.notOk(taken.has("asymmetric round_prefer_floor 3"));
});

t.test("TensorFlow's own way to find places", async (t) => {
  const attributes = { coordinate_transformation_mode: "tf_half_pixel_for_nn", nearest_mode: "floor" };
  const inputs = (file: FileWriter) => [file.floats([8]), numbers([1, 1, 2, 3])(file)];
  await t.resolves(imported({ opset: 11, inputs, attributes }));
});

t.test("modes that are no resizing to the nearest place are refused", async (t) => {
  const refused = (attributes: Attributes, message: RegExp) =>
    t.rejects(imported({ opset: 19, inputs: scales([1, 1, 2, 2]), attributes }), { message });
  await refused({ mode: "cubic" }, /it interpolates \(mode "cubic"\)/);
  await refused({ coordinate_transformation_mode: "tf_crop_and_resize" }, /found by "tf_crop_and_resize" and/);
  await refused({ keep_aspect_ratio_policy: "not_larger" }, /its keep_aspect_ratio_policy is "not_larger"/);
});

t.test("axes may be named, by which scales and sizes go", async (t) => {
  const attributes = { axes: [3, -2] };
  await t.resolves(imported({ opset: 18, inputs: scales([3, 2]), attributes }));
  await t.resolves(imported({ opset: 18, inputs: sizes([4, 9]), attributes }));
  await t.rejects(imported({ opset: 18, inputs: scales([1, 1, 2, 2]), attributes }), {
    message: /it has 4 scales or sizes for 2 axes of \[batch, 4, 3, 2\]/,
  });
});

t.test("the batch keeps its size", async (t) => {
  await t.rejects(imported({ opset: 13, inputs: sizes([3, 4, 6, 4]) }), {
    message: /Resize ".*": it computes with the size of the batch/,
  });
});

t.test("older forms have scales as their second input or as an attribute", async (t) => {
  const inputs = (file: FileWriter) => [numbers([1, 1, 2, 3])(file)];
  await t.resolves(imported({ opset: 10, inputs }));
  await t.resolves(imported({ opset: 9, operator: "Upsample", inputs }));
});

t.test("the oldest form has scales as an attribute", async (t) => {
  const attributes = { scales: { floats: [1, 1, 2, 3] } };
  await t.resolves(imported({ opset: 7, operator: "Upsample", attributes }));
});

t.test("between pixels, as PyTorch interpolates", async (t) => {
  const linear = (inputs: Case["inputs"], more: Attributes = {}, opset = 18) =>
    imported({ opset, ...(inputs && { inputs }), attributes: { mode: "linear", ...more } });
  for (const coordinate of ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]) {
    const attributes = { coordinate_transformation_mode: coordinate };
    await t.resolves(linear(scales([1, 1, 2, 3]), attributes), coordinate);
    await t.resolves(linear(sizes([4, 7, 5]), { ...attributes, axes: [1, 2, 3] }), `${coordinate}, any size`);
    const smaller = linear(sizes([2, 1]), { ...attributes, axes: [2, 3] });
    if (coordinate === "pytorch_half_pixel") await t.rejects(smaller, { message: /makes a single place of 2/ });
    else await t.resolves(smaller, `${coordinate}, smaller`);
  }
  await t.resolves(
    imported({
      opset: 9,
      operator: "Upsample",
      inputs: (file) => [numbers([1, 1, 2, 3])(file)],
      attributes: { mode: "linear" },
    }),
  );
  const half = (file: FileWriter) => ["", file.op("Div", [numbers([4, 4, 4, 7])(file), file.number(4)])];
  await t.rejects(linear(half), { message: /it makes 1.75 times as many of 2, which is no whole number/ });
  await t.rejects(linear(scales([1, 2, 2, 2])), { message: /it interpolates along axes 1,2,3 of \[batch, 4, 3, 2\]/ });
  await t.rejects(linear(sizes([2, 2]), { antialias: 1, axes: [2, 3] }), { message: /it smooths \(antialias\)/ });
});

t.test("lines, and images whose channels are last", async (t) => {
  const file = new FileWriter(13);
  const line = file.op("Conv", [file.input("x", [3, 5]), file.floats([4, 3, 1])]);
  const image = file.op("Conv", [file.input("y", [3, 4, 2]), file.floats([4, 3, 1, 1])]);
  const last = file.op("Transpose", [image], { perm: [0, 2, 3, 1] });
  const outputs = [
    file.op("Resize", [line, ...scales([1, 1, 3])(file)], { mode: "linear" }),
    file.op("Resize", [last, ...scales([1, 2, 3, 1])(file)], { mode: "linear" }),
  ];
  await t.resolves(agreeingGraph(ops, file.file(...outputs), file.inputs));
});
