import { type Stats, statSync } from "node:fs";
import { UserError } from "./errors.ts";
import { explainFileError } from "./file-errors.ts";

/**
 * What lies at a path that a user has named; undefined where nothing does.
 *
 * @throws UserError where it cannot be looked at.
 */
export function pathStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${explainFileError(error)}`, { cause: error });
  }
}
