import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { removeLeftovers } from "../../core/leftovers.ts";
import { lookup } from "../../core/lookup.ts";
import type { Reporter } from "../../core/progress.ts";
import type { DataFile } from "../dataset.ts";

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Sees to it that `files`, each pinned by length and checksum, are in `folder`, whole: when one is missing or, with a
 * warning, when one is damaged, `obtain` gives all of them. Each is replaced atomically, so a killed run is redone by
 * the next, which also clears what it has left.
 *
 * @param obtain Contents by name, already held against the checksums.
 * @throws UserError when `folder` cannot be read or written; whatever `obtain` throws.
 */
export async function ensureFiles(
  files: readonly DataFile[],
  {
    folder,
    reporter,
    obtain,
  }: { folder: string; reporter: Reporter; obtain: () => Promise<ReadonlyMap<string, Uint8Array>> },
): Promise<void> {
  for (const { name } of files) removeLeftovers(join(folder, name));
  const states = files.map((file) => stateOf(join(folder, file.name), file));
  if (states.every((state) => state === "whole")) return;
  files.forEach(({ name }, index) => {
    if (states[index] !== "damaged") return;
    reporter.warn(`${join(folder, name)} is damaged (its SHA-256 is another): fetching it again`);
  });
  const contents = await obtain();
  for (const { name } of files) writeFileAtomically(join(folder, name), lookup(contents, name));
}

function stateOf(place: string, { bytes, sha256 }: DataFile): "missing" | "damaged" | "whole" {
  try {
    const found = statSync(place, { throwIfNoEntry: false });
    if (found === undefined) return "missing";
    // The size first: whatever lies there, no more than a whole file is read.
    return found.isFile() && found.size === bytes && sha256Of(readFileSync(place)) === sha256 ? "whole" : "damaged";
  } catch (error) {
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  }
}
