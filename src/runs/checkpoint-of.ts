import { statSync } from "node:fs";
import { messageOf, UserError } from "../core/errors.ts";
import { type Checkpoint, readCheckpointAlone } from "./checkpoint.ts";
import { runFiles } from "./run-directory.ts";

/**
 * The checkpoint that `training.from` names.
 *
 * @param from The folder of a run, or a checkpoint.
 * @throws UserError when it holds none.
 */
export const checkpointOf = (from: string): Checkpoint =>
  readCheckpointAlone(isFile(from) ? from : runFiles(from).checkpoint);

function isFile(from: string): boolean {
  try {
    return statSync(from, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch (error) {
    throw new UserError(`cannot read training.from ${from}: ${messageOf(error)}`, { cause: error });
  }
}
