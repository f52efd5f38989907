import onnxProto from "onnx-proto";
import { UserError } from "../../core/errors.ts";
import { type Model, opsetOf, readModel } from "../../network/onnx/read-onnx-file.ts";
import { elementTypes } from "./element-types.ts";
import type { InputKind } from "./model-frame.ts";

const { onnx } = onnxProto;

export { type Model, opsetOf, readModel };

/**
 * A copy of the model, as bytes, that also gives the values named `extra`.
 *
 * @throws UserError when the model makes no value of such a name.
 */
export function withOutputs(model: Model, extra: readonly string[], file: string): Uint8Array {
  const graph = model.graph!;
  const made = new Set(graph.node?.flatMap(({ output }) => output ?? []));
  const missing = extra.find((name) => !made.has(name));
  if (missing !== undefined) throw new UserError(`${file}: has no value named "${missing}": it is another network's`);
  const present = new Set(graph.output?.map(({ name }) => name));
  const added = extra.filter((name) => !present.has(name)).map((name) => ({ name }));
  return onnx.ModelProto.encode({
    ...model,
    graph: { ...graph, output: [...(graph.output ?? []), ...added] },
  }).finish();
}

/** A model as the bytes of a file. */
export const encodeModelProto = (model: Model): Uint8Array => onnx.ModelProto.encode(model).finish();

/** Whether the model takes pixels or normalised images. */
export const inputTypeOf = (model: Model): InputKind =>
  model.graph?.input?.[0]?.type?.tensorType?.elemType === elementTypes.uint8 ? "uint8" : "float";

/** The other files that hold a model's weights, relative to its own. */
export function externalFiles(model: Model): readonly string[] {
  const locations = model.graph?.initializer?.flatMap(({ dataLocation, externalData }) =>
    dataLocation === onnx.TensorProto.DataLocation.EXTERNAL
      ? (externalData?.find(({ key }) => key === "location")?.value ?? [])
      : [],
  );
  return [...new Set(locations)];
}
