import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

/** Bytes at a log's end that are searched: an error is the last thing a run says. */
const TAIL = 64 * 1024;

/** Bytes that a log has now, 0 where there is none: what is said from now on comes behind them. */
export function logSize(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/**
 * The last error that a run's log tells of, without the lines below it; null where there is none.
 *
 * @param from Bytes that the log had when the run was started: what earlier sessions said does not count.
 */
export function lastError(path: string, from: number): string | null {
  const errors = tailOf(path, from).match(/^(?:internal )?error\b.*$/gm);
  return errors?.at(-1)?.replace(/^error: /, "") ?? null;
}

function tailOf(path: string, from: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - TAIL);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    readSync(file, bytes, 0, bytes.length, start);
    return bytes.toString("utf8");
  } finally {
    closeSync(file);
  }
}
