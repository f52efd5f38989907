import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "./errors.ts";

/**
 * Replaces the file at `path` so that a reader, or a machine that loses power, sees the old bytes or the new ones and
 * nothing between: written beside, fsynced, renamed, and the folder fsynced. Folders are created as needed.
 *
 * @throws UserError that names the file and the cause (full disk, no permission, a path below a file).
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path)}.${process.pid}.part`);
  try {
    mkdirSync(folder, { recursive: true });
    const file = openSync(beside, "w");
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(file, bytes, offset);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(folder);
  } catch (error) {
    removeQuietly(beside);
    throw new UserError(`cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Clears what a failed write left; the failure itself is what is told. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // There is nothing: the folder could not even be made.
  }
}

/** Makes a rename in `folder` durable. Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
