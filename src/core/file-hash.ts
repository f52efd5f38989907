import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { piecesOf } from "./pieces.ts";

/** SHA-256 of parts of any size, one behind the other, in lower-case hexadecimal. */
export function sha256Of(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) for (const piece of piecesOf(part)) hash.update(piece);
  return hash.digest("hex");
}

/** SHA-256 of a file of any size, in lower-case hexadecimal. @throws what reading it throws. */
export function sha256OfFile(path: string): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer))
      hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
