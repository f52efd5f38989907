import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes at a log's end that are searched: an error is the last thing a run says. */
const TAIL = 64 * 1024;

/** The last error that a run's log tells of, without the lines below it; null where there is none. */
export function lastError(path: string): string | null {
  const errors = tailOf(path).match(/^(?:internal )?error\b.*$/gm);
  return errors?.at(-1)?.replace(/^error: /, "") ?? null;
}

function tailOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8");
  } finally {
    closeSync(file);
  }
}
