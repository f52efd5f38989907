import { create } from "@bufbuild/protobuf";
import { encodeModel } from "../onnx/encode-model.ts";
import { FileSession } from "../onnx/file-session.ts";
import { ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { type Model, withGraph } from "../onnx/onnx-model.ts";

/** Values of a model's inside that are held at once. */
export const BYTES_AT_ONCE = 2 ** 28;

/** A session of the model that gives values of its inside too. */
export function openInside(
  model: Model,
  values: readonly string[],
  file: string,
  threads?: number,
): Promise<FileSession> {
  const { graph } = model;
  const known = new Set([...graph.output, ...graph.input].map(({ name }) => name));
  const added = values.filter((name) => !known.has(name)).map((name) => create(ValueInfoProtoSchema, { name }));
  const encoded = encodeModel(withGraph(model, { output: [...graph.output, ...added] }));
  // Values of the inside would be lost to the optimizer's larger kernels.
  return FileSession.load(encoded, file, { optimization: "basic", ...(threads !== undefined && { threads }) });
}
