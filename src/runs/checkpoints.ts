import { existsSync, renameSync } from "node:fs";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { askGuards } from "../core/folder-guards.ts";
import type { Reporter } from "../core/progress.ts";
import { type Checkpoint, encodeCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { previousCheckpoint, runFiles, unreadableCheckpoint } from "./run-directory.ts";

/**
 * Writes a run's checkpoint; the last one becomes the previous one. Killed at any moment, it leaves at least one whole.
 *
 * @throws UserError when it cannot be written, or holds a number that is not finite; those on disk are left alone.
 */
export function saveCheckpoint(folder: string, checkpoint: Checkpoint): void {
  const bytes = encodeCheckpoint(checkpoint);
  writeFileAtomically(runFiles(folder).checkpoint, bytes, { keepOld: previousCheckpoint(folder) });
}

/**
 * Reads a run's last checkpoint; where that is damaged, the one before it, with a warning.
 *
 * @throws UserError when neither can be read.
 */
export const readLastCheckpoint = (folder: string, reporter: Pick<Reporter, "warn">): Checkpoint =>
  readNewest(folder, reporter).checkpoint;

/**
 * The same for the run that goes on from it and will save again: a damaged one is put aside, so that it never takes
 * the place of the good one before it.
 */
export function takeUpCheckpoint(folder: string, reporter: Pick<Reporter, "warn">): Checkpoint {
  const { checkpoint, lastIsDamaged } = readNewest(folder, reporter);
  askGuards(folder);
  if (lastIsDamaged) renameSync(runFiles(folder).checkpoint, unreadableCheckpoint(folder));
  return checkpoint;
}

interface Newest {
  readonly checkpoint: Checkpoint;
  readonly lastIsDamaged: boolean;
}

function readNewest(folder: string, { warn }: Pick<Reporter, "warn">): Newest {
  const { checkpoint: last } = runFiles(folder);
  const previous = previousCheckpoint(folder);
  // A kill between the two renames of a save leaves the previous one alone, and it is the last.
  if (!existsSync(last) && existsSync(previous)) {
    return { checkpoint: readEither(previous), lastIsDamaged: false };
  }
  try {
    return { checkpoint: readCheckpoint(last), lastIsDamaged: false };
  } catch (error) {
    if (!existsSync(previous)) throw startAnew(error);
    const checkpoint = readEither(previous, error);
    warn(`${messageOf(error)}: using the one before it, of step ${checkpoint.progress.step}`);
    return { checkpoint, lastIsDamaged: true };
  }
}

/** @param first What was wrong with the last one, where there is one. */
function readEither(previous: string, first?: unknown): Checkpoint {
  try {
    return readCheckpoint(previous);
  } catch (second) {
    if (first === undefined) throw startAnew(second);
    throw startAnew(new Error(`${messageOf(first)}; ${messageOf(second)}`));
  }
}

const startAnew = (error: unknown): UserError =>
  new UserError(`${messageOf(error)}; train again with --force`, { cause: error });
