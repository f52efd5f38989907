import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from "../onnx/generated/onnx_pb.ts";
import { type Model, readModel } from "../onnx/onnx-model.ts";
import { subgraphsOf } from "./file-graph.ts";

export interface LoadedModel {
  readonly model: Model;
  /** Of the file, and of what it takes from others. */
  readonly sha256: string;
  /** Of the file and of those that hold its weights. */
  readonly bytes: number;
}

/** A protobuf message has at most so many bytes. */
const LARGEST = 2 ** 31;

/**
 * Reads an ONNX file; weights that lie in other files beside it become part of the model.
 *
 * @throws UserError when a file cannot be read, is damaged, or lies elsewhere.
 */
export function loadModel(file: string): LoadedModel {
  const bytes = readBytes(file, file);
  const model = readModel(bytes, file);
  const hash = createHash("sha256").update(bytes);
  let external = 0;
  for (const tensor of tensorsIn(model.graph)) {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
    tensor.rawData = externalBytes(tensor, file);
    external += tensor.rawData.length;
    hash.update(tensor.rawData);
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
    tensor.externalData = [];
  }
  const total = bytes.length + external;
  if (total >= LARGEST) {
    throw new UserError(
      `${file}: has ${total} bytes with its weights, and models of 2 GB or more cannot be written yet`,
    );
  }
  return { model, sha256: hash.digest("hex"), bytes: total };
}

/** All tensors of a graph and of its subgraphs, constants of nodes included. */
function* tensorsIn({ initializer, node }: GraphProto): Generator<TensorProto> {
  yield* initializer;
  for (const one of node) {
    for (const { t, tensors } of one.attribute) yield* [...(t ? [t] : []), ...tensors];
    for (const inner of subgraphsOf(one)) yield* tensorsIn(inner);
  }
}

function readBytes(path: string, file: string): Uint8Array {
  try {
    // Before opening: opening a pipe waits for a writer.
    if (!statSync(path).isFile()) throw new Error("it is not a file");
    return readFileSync(path);
  } catch (error) {
    const what = path === file ? file : `${file}: its weights in ${path}`;
    throw new UserError(`cannot read ${what}: ${explainFileError(error)}`, { cause: error });
  }
}

function externalBytes({ name, externalData }: TensorProto, file: string): Uint8Array {
  const entry = (wanted: string) => externalData.find(({ key }) => key === wanted)?.value;
  const location = entry("location") ?? "";
  const folder = resolve(dirname(file));
  const path = resolve(folder, location);
  const inside = relative(folder, path);
  if (location === "" || isAbsolute(location) || inside.startsWith("..")) {
    throw new UserError(
      `${file}: its tensor ${JSON.stringify(name)} lies in ${JSON.stringify(location)}, expected a file beside it`,
    );
  }
  const all = readBytes(path, file);
  const offset = Number(entry("offset") ?? 0);
  const length = Number(entry("length") ?? all.length - offset);
  const end = offset + length;
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(end) && offset >= 0 && end <= all.length)) {
    throw new UserError(
      `${file}: its tensor ${JSON.stringify(name)} is bytes ${offset} to ${end} of ${location}, which has ${all.length}: is it cut off?`,
    );
  }
  return all.subarray(offset, end);
}
