import onnxProto from "onnx-proto";
import { messageOf, UserError } from "../../core/errors.ts";

const { onnx } = onnxProto;

export type Model = onnxProto.onnx.ModelProto;

/**
 * Parses the bytes of an ONNX file; `file` is its name in messages.
 *
 * @throws UserError when they are not a whole ONNX file.
 */
export function readModel(bytes: Uint8Array, file: string): Model {
  let model: Model;
  try {
    model = onnx.ModelProto.decode(bytes);
  } catch (error) {
    throw new UserError(`${file}: not an ONNX file, or damaged: ${messageOf(error)}`, { cause: error });
  }
  if (!model.graph?.node?.length || !model.opsetImport.length) {
    throw new UserError(`${file}: not an ONNX file: it holds no graph`);
  }
  return model;
}

/** The standard operators' domain, by either of its names. */
export const isStandardDomain = (domain: string | null | undefined): boolean => !domain || domain === "ai.onnx";

/** The operator set that the model's operators are of. */
export const opsetOf = (model: Model): number =>
  Number(model.opsetImport.find(({ domain }) => isStandardDomain(domain))?.version ?? Number.NaN);
