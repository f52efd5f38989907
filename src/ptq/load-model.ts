import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { codeOf, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { piecesOf } from "../core/pieces.ts";
import { externalEntry } from "../onnx/encode-model.ts";
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from "../onnx/generated/onnx_pb.ts";
import { type Model, readModel } from "../onnx/onnx-model.ts";
import { subgraphsOf } from "./value-names.ts";

export interface LoadedModel {
  readonly model: Model;
  /** Of the file, and of what it takes from others. */
  readonly sha256: string;
  /** Of the file and of those that hold its weights. */
  readonly bytes: number;
  /** Those that hold its weights, by their whole paths. */
  readonly beside: ReadonlySet<string>;
}

/**
 * Reads an ONNX file; weights that lie in other files beside it become part of the model.
 *
 * @throws UserError when a file cannot be read, is damaged, or lies elsewhere.
 */
export function loadModel(file: string): LoadedModel {
  const bytes = reading(file, file, ({ descriptor }) => readFileSync(descriptor));
  const model = readModel(bytes, file);
  const hash = createHash("sha256").update(bytes);
  let external = 0;
  const beside = new Set<string>();
  for (const tensor of tensorsIn(model.graph)) {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
    const path = externalPath(tensor, file);
    beside.add(path);
    tensor.rawData = externalBytes(tensor, path, file);
    external += tensor.rawData.length;
    for (const piece of piecesOf(tensor.rawData)) hash.update(piece);
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
    tensor.externalData = [];
  }
  return { model, sha256: hash.digest("hex"), bytes: bytes.length + external, beside };
}

/** All tensors of a graph and of its subgraphs, constants of nodes included. */
function* tensorsIn({ initializer, node }: GraphProto): Generator<TensorProto> {
  yield* initializer;
  for (const one of node) {
    for (const { t, tensors } of one.attribute) yield* [...(t ? [t] : []), ...tensors];
    for (const inner of subgraphsOf(one)) yield* tensorsIn(inner);
  }
}

/** @throws UserError that names both files where `read` fails, or there is no such file. */
function reading<T>(path: string, file: string, read: (opened: { size: number; descriptor: number }) => T): T {
  try {
    // Before opening: opening a pipe waits for a writer.
    if (!statSync(path).isFile()) throw new Error("it is not a file");
    const descriptor = openSync(path, "r");
    try {
      return read({ size: fstatSync(descriptor).size, descriptor });
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const what = path === file ? file : `${file}: its weights in ${path}`;
    const isGone = codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
    const remedy = path === file ? "give the path of an ONNX file" : "put it beside the model";
    const why = isGone ? `there is no such file, seen from ${process.cwd()}; ${remedy}` : explainFileError(error);
    throw new UserError(`cannot read ${what}: ${why}`, { cause: error });
  }
}

/** @throws UserError for a place that is not beside the file. */
function externalPath(tensor: TensorProto, file: string): string {
  const location = externalEntry(tensor, "location") ?? "";
  const folder = resolve(dirname(file));
  const path = resolve(folder, location);
  const inside = relative(folder, path);
  if (location === "" || isAbsolute(location) || inside.startsWith("..")) {
    throw new UserError(
      `${file}: its tensor ${JSON.stringify(tensor.name)} lies in ${JSON.stringify(location)}, expected a file beside it`,
    );
  }
  return path;
}

function externalBytes(tensor: TensorProto, path: string, file: string): Uint8Array {
  return reading(path, file, ({ size, descriptor }) => {
    const offset = Number(externalEntry(tensor, "offset") ?? 0);
    const length = Number(externalEntry(tensor, "length") ?? size - offset);
    const end = offset + length;
    if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(end) && offset >= 0 && length >= 0 && end <= size)) {
      throw new UserError(
        `${file}: its tensor ${JSON.stringify(tensor.name)} is bytes ${offset} to ${end} of ${basename(path)}, which has ${size}: is it cut off?`,
      );
    }
    const bytes = new Uint8Array(length);
    let position = offset;
    for (const piece of piecesOf(bytes)) {
      for (let done = 0; done < piece.length; ) {
        const count = readSync(descriptor, piece, done, piece.length - done, position);
        if (count === 0) throw new Error("it became shorter while it was read");
        done += count;
        position += count;
      }
    }
    return bytes;
  });
}
