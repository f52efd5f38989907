import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../core/errors.ts";
import { isAlive } from "../../core/leftovers.ts";

const prefix = "loading.";

/**
 * Loads a library of `folder`. A process that this ends without a word, as damaged libraries do, leaves a marker there,
 * and the next start looks closer. A folder that cannot be written to gets none.
 */
export function markingLoad<T>(folder: string, load: () => T): T {
  const marker = join(folder, `${prefix}${process.pid}`);
  try {
    writeFileSync(marker, "");
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return load();
  }
  try {
    return load();
  } finally {
    rmSync(marker, { force: true });
  }
}

/** Markers of processes that ended while they loaded. */
export function crashedLoads(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length))))
    .map((name) => join(folder, name));
}
