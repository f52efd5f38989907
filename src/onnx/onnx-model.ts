import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { messageOf, UserError } from "../core/errors.ts";
import { type GraphProto, type ModelProto, ModelProtoSchema } from "./generated/onnx_pb.ts";

/** A model with a graph. Fields of newer versions of the format are kept when it is written again. */
export type Model = ModelProto & { graph: GraphProto };

/**
 * Parses the bytes of an ONNX file; `file` is its name in messages. Tensors' raw bytes are views of `bytes`.
 *
 * @throws UserError when they are not a whole ONNX file.
 */
export function readModel(bytes: Uint8Array, file: string): Model {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new UserError(`${file}: not an ONNX file, or damaged: ${messageOf(error)}`, { cause: error });
  }
  if (!hasGraph(model) || model.graph.node.length === 0 || model.opsetImport.length === 0) {
    throw new UserError(`${file}: not an ONNX file: it holds no graph`);
  }
  return model;
}

const hasGraph = (model: ModelProto): model is Model => model.graph !== undefined;

/** A model as the bytes of a message, of which there can be no 2 GiB (`encodeModel`). */
export const encodeModelProto = (model: Model): Uint8Array => toBinary(ModelProtoSchema, model);

/** A copy of a model with other lists in its graph; all else is the same objects. */
export function withGraph(
  model: Model,
  lists: Partial<Pick<GraphProto, "node" | "initializer" | "input" | "output">>,
): Model {
  // Defaults of unset fields lie on the prototype.
  const copy = <T extends object>(message: T): T =>
    Object.assign(Object.create(Object.getPrototypeOf(message)), message);
  return Object.assign(copy(model), { graph: Object.assign(copy(model.graph), lists) });
}

/** The domain of onnxruntime's own operators. */
export const contribDomain = "com.microsoft";

/** The standard operators' domain, by either of its names. */
export const isStandardDomain = (domain: string | null | undefined): boolean => !domain || domain === "ai.onnx";

/** The operator set that the model's operators are of. */
export const opsetOf = (model: Model): number =>
  Number(model.opsetImport.find(({ domain }) => isStandardDomain(domain))?.version ?? Number.NaN);
