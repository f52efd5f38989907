import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { messageOf, UserError } from "../../core/errors.ts";
import { type Model, readModel } from "../../onnx/onnx-model.ts";

/** What a protobuf message, and so an ONNX file without external data, can hold. */
const MAX_BYTES = 2 ** 31 - 1;

/** Which file a network was read from. */
export interface NetworkFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads a network's ONNX file. A relative path is taken from the folder that the program was started in.
 *
 * @param setting That names it, for messages.
 * @throws UserError when it is missing, larger than 2 GB, or no ONNX file.
 */
export function readNetworkFile(
  path: string,
  setting = "network.file",
): {
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly file: NetworkFile;
} {
  const bytes = readBytes(path, setting);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { model: readModel(bytes, path), bytes, file: { name: basename(path), bytes: bytes.length, sha256 } };
}

function readBytes(path: string, setting: string): Buffer {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error("it is no file");
    if (stats.size > MAX_BYTES)
      throw new Error(`it has ${stats.size} bytes, and a network of one file has at most 2 GB`);
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read ${setting} ${path} (seen from ${process.cwd()}): ${messageOf(error)}`, {
      cause: error,
    });
  }
}
