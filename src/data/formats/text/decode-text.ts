import { statSync } from "node:fs";
import { messageOf, UserError } from "../../../core/errors.ts";
import { readWholeFile } from "../../../core/read-file.ts";

/** 256 MiB: what is read into memory at once. */
const maxFileBytes = 2 ** 28;

/**
 * The bytes of a text file.
 *
 * @throws UserError that names it: it cannot be read, or is too large.
 */
export function readTextFile(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxFileBytes) throw new Error(`${size} bytes, expected at most ${maxFileBytes}`);
    return readWholeFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws UserError that names `place` where the bytes are no UTF-8. */
export function decodeText(bytes: Uint8Array, place: string): string {
  try {
    // A byte order mark is no part of the text.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(
      `cannot read ${place}: it is not UTF-8; write it anew in that encoding, as with iconv -f latin1 -t utf-8`,
      { cause: error },
    );
  }
}
