import { UserError } from "./errors.ts";

/** @param before What the file was when the run began, as `SHA-256 …` or `70 bytes`; `now` the same. */
export const changedFile = (
  what: "network" | "data" | "teacher",
  name: string,
  { before, now }: { readonly before: string; readonly now: string },
): UserError =>
  new UserError(
    `the ${what} file ${name} has changed since the run began (${before}, now ${now}): put it back, or train again with --force`,
  );
