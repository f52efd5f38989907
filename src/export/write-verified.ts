import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { askGuards } from "../core/folder-guards.ts";
import { placeBeside, removeLeftovers } from "../core/leftovers.ts";

/**
 * Writes `bytes` beside `file`, lets `check` look at what was written, and only then gives it the final name. When
 * the check fails nothing stands under the final name: a file of an earlier export would pass for this one.
 *
 * @throws UserError when it cannot be written; whatever `check` throws.
 */
export async function writeVerified<T>(
  file: string,
  bytes: Uint8Array,
  check: (written: string) => Promise<T>,
): Promise<T> {
  removeLeftovers(file);
  const unverified = placeBeside(file, "unverified");
  writeFileAtomically(unverified, bytes);
  try {
    const result = await check(unverified).catch((error: unknown) => {
      askGuards(file);
      remove(file);
      throw error;
    });
    askGuards(file);
    rename(unverified, file);
    return result;
  } finally {
    remove(unverified);
  }
}

const remove = (file: string): void => rmSync(file, { force: true });

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
    syncFolder(dirname(to));
  } catch (error) {
    throw new UserError(`cannot write ${to}: ${explainFileError(error)}`, { cause: error });
  }
}
