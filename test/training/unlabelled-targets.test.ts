import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { TargetDescription } from "../../src/data/targets.ts";
import { describeTargets } from "../../src/training/unlabelled-targets.ts";
import { encodePlain, ints, node } from "../fixtures/onnx/plain-model.ts";

const file = join(t.testdir(), "features.onnx");
const weights = (name: string, rows: number, columns: number) => ({
  ...{ name, dims: [rows, columns], dataType: 1 },
  floatData: Array.from({ length: rows * columns }, (_, index) => Math.sin(index)),
});
writeFileSync(
  file,
  encodePlain({
    opset: 17,
    inputs: [{ name: "images", shape: ["b", 1, 2, 2] }],
    outputs: [{ name: "logits", shape: ["b", 3] }],
    tensors: [weights("first", 4, 5), weights("second", 5, 3)],
    nodes: [
      node("Flatten", ["images"], "flat"),
      node("MatMul", ["flat", "first"], "features"),
      node("Relu", ["features"], "positive"),
      node("MatMul", ["positive", "second"], "logits"),
    ],
  }),
);

const config = (outputs?: string[]) =>
  parseConfig({
    name: "unlabelled",
    data: { name: "npz", train: "data.npz", test: "data.npz" },
    network: { file, ...(outputs && { outputs }) },
    method: { name: "fixed", weights: 4, activations: 8 },
    training: { epochs: 1, loss: "distill" },
  });
const normalization = { mean: [0], deviation: [1] };
const none = { targets: { kind: "none" }, imageShape: [2, 2, 1], normalization } as const;

t.test("a file says how many values it gives, also where others than its last are taken", async (t) => {
  t.strictSame(describeTargets(config(), { ...none, kind: "values" }), { kind: "values", outputs: 3 });
  t.strictSame(describeTargets(config(["positive"]), { ...none, kind: "values" }), { kind: "values", outputs: 5 });
});

t.test("where a file leaves its sizes open, the data's samples have them", async (t) => {
  const open = (path: string, sizes: readonly (string | number)[]) => {
    const [inputs, outputs] = [
      { name: "images", shape: ["b", ...sizes] },
      { name: "pooled", shape: ["b", "?", "?", "?"] },
    ];
    const pool = node("MaxPool", ["images"], "pooled", [ints("kernel_shape", [1, 2]), ints("strides", [1, 2])]);
    const tensors = [{ ...weights("kernel", 3, 3), dims: [3, 3, 1, 1] }];
    const nodes = [node("Conv", ["images", "kernel"], "mixed"), { ...pool, input: ["mixed"] }];
    writeFileSync(path, encodePlain({ opset: 17, inputs: [inputs], outputs: [outputs], tensors, nodes }));
    return { ...config(), network: { file: path } };
  };
  const folder = t.testdir();
  const sample = { ...none, imageShape: [4, 6, 3], kind: "values" } as const;
  t.strictSame(describeTargets(open(join(folder, "first.onnx"), ["c", "h", "w"]), sample), {
    kind: "values",
    outputs: 3 * 4 * 3,
  });
  const values = { ...sample, normalization: null, imageShape: [3, 4, 6] };
  t.match(describeTargets(open(join(folder, "values.onnx"), ["c", "h", "w"]), values), { outputs: 3 * 4 * 3 });
});

t.test("what neither says its sizes nor imports asks for them", async (t) => {
  const path = join(t.testdir(), "det.onnx");
  const shape = ["b", "c", "h", "w"];
  const ports = { inputs: [{ name: "images", shape }], outputs: [{ name: "y", shape: ["b", "n"] }] };
  writeFileSync(path, encodePlain({ opset: 17, ...ports, tensors: [], nodes: [node("Det", ["images"], "y")] }));
  t.throws(() => describeTargets({ ...config(), network: { file: path } }, { ...none, kind: "values" }), {
    name: "UserError",
    message: /network\.file .*det\.onnx does not say how many values its outputs have, .*Det.*: export it with sizes/s,
  });
});

t.test("the data may name classes that the teacher counts", async (t) => {
  const of = (names: readonly string[], kind: "classes" | "values" = "classes") =>
    describeTargets(config(), { ...none, targets: { kind: "none", names }, kind });
  t.strictSame(of(["a", "b", "c"]), { kind: "classes", names: ["a", "b", "c"] });
  t.throws(() => of(["a", "b"]), { name: "UsageError", message: /data\.classes: expected 3 names, .* got 2/ });
  t.throws(() => of(["a", "b", "c"], "values"), { message: /data\.classes: expected nothing: .* no classes/ });
});

t.test("a run that has begun knows what it learns, wherever its teacher is", async (t) => {
  const gone = { ...config(), network: { file: "gone.onnx" } };
  const recorded: TargetDescription = { kind: "classes", names: ["x", "y"] };
  t.equal(describeTargets(gone, { ...none, kind: "classes", recorded }), recorded);
  t.throws(() => describeTargets(gone, { ...none, kind: "classes" }), { message: /cannot read network\.file gone/ });
});
