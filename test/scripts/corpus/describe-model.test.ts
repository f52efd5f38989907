import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import t from "tap";
import { describeModel } from "../../../scripts/corpus/describe-model.ts";
import { runModel } from "../../../scripts/corpus/run-model.ts";
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  TensorProto_DataType,
} from "../../../src/onnx/generated/onnx_pb.ts";
import { npy, npz } from "../../fixtures/npy.ts";

const { FLOAT, BOOL } = TensorProto_DataType;

const port = (name: string, elemType: number, sizes: readonly (number | string)[]) => {
  const dim = sizes.map((size) => ({
    value:
      typeof size === "string"
        ? ({ case: "dimParam", value: size } as const)
        : ({ case: "dimValue", value: BigInt(size) } as const),
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } as const } };
};
const branch = (name: string, opType: string, constant: readonly number[]) => ({
  name,
  type: AttributeProto_AttributeType.GRAPH,
  g: {
    name,
    node: [{ opType, input: ["x", `${name}.w`], output: [`${name}.y`] }],
    initializer: [{ name: `${name}.w`, dims: [2n], dataType: FLOAT, floatData: [...constant] }],
    output: [port(`${name}.y`, FLOAT, ["n", 2])],
  },
});

/** x [n, 2] by the flag: x + [1, 2] or x · [3, 4], minus the state [2]. */
const branching = toBinary(
  ModelProtoSchema,
  create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    graph: {
      name: "branching",
      input: [port("x", FLOAT, ["n", 2]), port("flag", BOOL, []), port("state", FLOAT, [2])],
      output: [port("y", FLOAT, ["n", 2])],
      node: [
        {
          opType: "If",
          input: ["flag"],
          output: ["chosen"],
          attribute: [branch("then_branch", "Add", [1, 2]), branch("else_branch", "Mul", [3, 4])],
        },
        { opType: "Sub", input: ["chosen", "state"], output: ["y"] },
      ],
    },
  }),
);

const dataOf = (values: readonly number[], shape: readonly number[]) =>
  npy("<f4", shape, new Uint8Array(Float32Array.from(values).buffer));

t.test("branches count: their nodes, operators and weights", async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, "branching.onnx"), branching);
  const { nodes, operators, subgraphs, weights, precision, opsets, inputs } = describeModel(folder, "branching.onnx");
  t.strictSame(
    { nodes, subgraphs, weights, precision, opsets },
    {
      nodes: 4,
      subgraphs: 2,
      weights: { float32: 4 },
      precision: "float32",
      opsets: { "ai.onnx": 17 },
    },
  );
  t.strictSame(operators, { If: 1, Sub: 1, Add: 1, Mul: 1 });
  t.strictSame(inputs, [
    { name: "x", type: "float32", shape: ["n", 2] },
    { name: "flag", type: "bool", shape: [] },
    { name: "state", type: "float32", shape: [2] },
  ]);
});

t.test("a sample is a row of an array, or the whole input where the array has a rank more", async (t) => {
  const folder = t.testdir({});
  const file = join(folder, "branching.onnx");
  const data = join(folder, "data.npz");
  writeFileSync(file, branching);
  const arrays = {
    x: dataOf([1, 1, 1, 1, 1, 1, 1, 1], [4, 2]),
    flag: npy("|b1", [4], Uint8Array.of(1, 0, 1, 0)),
    state: dataOf([0, 0, 0, 0, 0, 0, 0, 0], [4, 2]),
  };
  writeFileSync(data, npz(arrays));
  const { inputs } = describeModel(folder, "branching.onnx");
  t.strictSame(await runModel(file, inputs, data), {
    loads: true,
    runs: true,
    finite: true,
    error: null,
    outputs: { y: [1, 2] },
  });
  writeFileSync(data, npz({ ...arrays, state: dataOf([0, 0, 0, 0], [4, 1, 1]) }));
  const refused = await runModel(file, inputs, data);
  t.match(refused, { loads: true, runs: false, error: /state has shape \[4,1,1\], state \[2\]/ });
});

t.test("values that are not finite are told of, and files that onnxruntime refuses", async (t) => {
  const folder = t.testdir({});
  const file = join(folder, "branching.onnx");
  const data = join(folder, "data.npz");
  writeFileSync(file, branching);
  const infinite = Number.POSITIVE_INFINITY;
  const arrays = {
    x: dataOf([1, infinite, 1, 1, 1, 1, 1, 1], [4, 2]),
    flag: npy("|b1", [4], Uint8Array.of(1, 0, 1, 0)),
    state: dataOf([0, 0, 0, 0, 0, 0, 0, 0], [4, 2]),
  };
  writeFileSync(data, npz(arrays));
  const { inputs } = describeModel(folder, "branching.onnx");
  t.match(await runModel(file, inputs, data), { runs: true, finite: false });
  writeFileSync(file, branching.subarray(0, 100));
  t.match(await runModel(file, inputs, null), { loads: false, runs: null, error: String });
});
