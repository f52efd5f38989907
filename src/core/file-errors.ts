import { codeOf, messageOf } from "./errors.ts";

const memory = "memory is limited: raise the limit (ulimit -v), or free some";
const files = "too many files are open: raise the limit (ulimit -n)";

/** What to do about the causes that are no defect of this program. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free space there",
  EDQUOT: "the quota is used up: free space there",
  EROFS: "the file system is read-only: choose another place",
  EACCES: "choose another place, or change its permissions",
  EPERM: "choose another place, or change its permissions",
  EIO: "the disk or its connection fails: look at the system's log",
};

/** The same of the system's limits, which are met anywhere. */
const limits: Readonly<Record<string, string>> = {
  EMFILE: files,
  ENFILE: files,
  ENOMEM: memory,
  ERR_WORKER_OUT_OF_MEMORY: memory,
};

/** How the linker and the engine of JavaScript say it. */
const outOfMemory =
  /failed to map segment|cannot allocate memory|unable to allocate|allocation failed|OOM when allocating|bad_alloc/i;

/** What to do where an error is a limit of the system that was met; undefined where it is none. */
export function remedyFor(error: unknown): string | undefined {
  const known = limits[codeOf(error) ?? ""];
  return known ?? (error instanceof Error && outOfMemory.test(error.message) ? memory : undefined);
}

/** The message of a failed file operation, with the remedy where there is one. */
export function explainFileError(error: unknown): string {
  const remedy = remedyFor(error) ?? remedies[codeOf(error) ?? ""];
  return remedy === undefined ? messageOf(error) : `${messageOf(error)}; ${remedy}`;
}
