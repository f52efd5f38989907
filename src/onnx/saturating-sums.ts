import { create, toBinary } from "@bufbuild/protobuf";
import { elementTypes } from "./element-types.ts";
import { FileSession } from "./file-session.ts";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";
import { tensorOf } from "./tensor-data.ts";

/** Enough for the kernels that layers get. */
const [rows, terms, columns] = [4, 16, 16];
const [largest, weight] = [255, 127];

let known: Promise<boolean> | undefined;

/**
 * Whether onnxruntime's kernels for int8 weights saturate on this machine: on x86 without VNNI they add two products of
 * 8-bit numbers in 16 bits. A product of matrices is computed, once in a process.
 */
export const sumsSaturate = (): Promise<boolean> => (known ??= measure());

async function measure(): Promise<boolean> {
  const bytes = new Uint8Array(terms * columns).fill(weight);
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { version: 13n })],
    graph: create(GraphProtoSchema, {
      name: "sums",
      node: [create(NodeProtoSchema, { opType: "MatMulInteger", input: ["codes", "weights"], output: ["sums"] })],
      initializer: [tensorOf("weights", elementTypes.int8, [terms, columns], bytes)],
      input: [declared("codes", elementTypes.uint8)],
      output: [declared("sums", elementTypes.int32)],
    }),
  });
  await using session = await FileSession.load(toBinary(ModelProtoSchema, model), "a product of matrices", {
    threads: 1,
  });
  const codes = FileSession.tensor(new Uint8Array(rows * terms).fill(largest), [rows, terms]);
  const sums = (await session.run({ codes })).get("sums")?.data;
  return !(sums instanceof Int32Array && sums.every((sum) => sum === terms * largest * weight));
}

const declared = (name: string, elemType: number) =>
  create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType } } } });
