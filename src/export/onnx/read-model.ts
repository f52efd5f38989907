import { create } from "@bufbuild/protobuf";
import { UserError } from "../../core/errors.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { TensorProto_DataLocation, ValueInfoProtoSchema } from "../../onnx/generated/onnx_pb.ts";
import { encodeModelProto, type Model, withGraph } from "../../onnx/onnx-model.ts";
import { declaredTensor } from "../../onnx/value-info.ts";
import type { StoredTensors } from "../compare-tensors.ts";
import type { InputKind } from "./model-frame.ts";

export { encodeModelProto, type Model, opsetOf, readModel } from "../../onnx/onnx-model.ts";

/**
 * A copy of the model, as bytes, that also gives the values named `extra`.
 *
 * @throws UserError when the model makes no value of such a name.
 */
export function withOutputs(model: Model, extra: readonly string[], file: string): Uint8Array {
  const { graph } = model;
  const made = new Set(graph.node.flatMap(({ output }) => output));
  const missing = extra.find((name) => !made.has(name));
  if (missing !== undefined) throw new UserError(`${file}: has no value named "${missing}": it is another network's`);
  const present = new Set(graph.output.map(({ name }) => name));
  const added = extra.filter((name) => !present.has(name)).map((name) => create(ValueInfoProtoSchema, { name }));
  return encodeModelProto(withGraph(model, { output: [...graph.output, ...added] }));
}

/** The tensors that a model holds. */
export function tensorsOf({ graph }: Model): StoredTensors {
  const tensors = graph.initializer.map(({ name, dataType, dims, rawData }) => {
    const kind = `[${dims.map(Number).join(", ")}] of ONNX type ${dataType}`;
    return [name, { kind, data: rawData }] as const;
  });
  return new Map(tensors);
}

/** Whether the model takes pixels or normalised images. */
export const inputTypeOf = ({ graph }: Model): InputKind => {
  const [input] = graph.input;
  return input && declaredTensor(input)?.type === elementTypes.uint8 ? "uint8" : "float";
};

/** The other files that hold a model's weights, relative to its own. */
export function externalFiles({ graph }: Model): readonly string[] {
  const locations = graph.initializer.flatMap(({ dataLocation, externalData }) =>
    dataLocation === TensorProto_DataLocation.EXTERNAL
      ? (externalData.find(({ key }) => key === "location")?.value ?? [])
      : [],
  );
  return [...new Set(locations)];
}
