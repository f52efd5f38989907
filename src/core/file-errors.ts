import { codeOf, messageOf } from "./errors.ts";

/** What to do about the causes that are no defect of this program. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free space there",
  EDQUOT: "the quota is used up: free space there",
  EROFS: "the file system is read-only: choose another place",
  EACCES: "choose another place, or change its permissions",
  EPERM: "choose another place, or change its permissions",
  EIO: "the disk or its connection fails: look at the system's log",
  EMFILE: "too many files are open: raise the limit (ulimit -n)",
};

/** The message of a failed file operation, with the remedy where there is one. */
export function explainFileError(error: unknown): string {
  const remedy = remedies[codeOf(error) ?? ""];
  return remedy === undefined ? messageOf(error) : `${messageOf(error)}; ${remedy}`;
}
