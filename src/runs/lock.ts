import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { removeQuietly, syncFile } from "../core/atomic-file.ts";
import { codeOf, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { guardFolder } from "../core/folder-guards.ts";
import { readWholeFile } from "../core/read-file.ts";
import { lifeOf, ownIdentity, processIdentity } from "./process-identity.ts";

/** The lock's file in a run directory. */
export const lockFile = "run.lock";

const holderSchema = processIdentity.extend({
  /** Tells two locks of one process apart. */
  id: z.string(),
  since: z.string(),
});

type Holder = z.infer<typeof holderSchema>;

/** What a lock's file says: its text names it, also where it is damaged and there is no holder to read. */
interface Claim {
  readonly text: string;
  readonly holder: Holder | null;
}

export interface RunLock {
  /** Gives the directory free, if it is still this lock's. Until then every write asks whether it is. */
  release(): void;
}

/**
 * Takes the right to write to a run directory. Where the holder is dead (same host, its process gone) the lock is
 * taken over; of several that try at once, one gets it.
 *
 * @param force Takes over also from a holder that cannot be seen from here: one on another host.
 * @throws UserError that names the holder, when it lives or may live, or the file that cannot be written.
 */
export function acquireLock(folder: string, { force }: { force: boolean }): RunLock {
  const path = join(folder, lockFile);
  const own: Holder = { ...ownIdentity(), id: randomUUID(), since: new Date().toISOString() };
  const text = JSON.stringify(own);
  const beside = join(folder, `.${lockFile}.${own.id}.${process.pid}.part`);
  try {
    // The lock appears with its content: a link either makes the whole file or finds one there.
    writeFileSync(beside, text, { flag: "wx" });
    // Else a machine that loses power may keep its name alone: a damaged lock, which nobody dares to take over.
    syncFile(beside);
    claim(path, { beside, folder, force });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot lock the run directory ${folder}: ${explainFileError(error)}`, { cause: error });
  } finally {
    removeQuietly(beside);
  }
  // Open, so that its inode is no other file's as long as this process holds it.
  const handle = openSync(path, "r");
  const isOwn = () =>
    readClaim(path)?.text === text && statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(handle).ino;
  const endGuard = guardFolder(folder, () => {
    if (!isOwn()) throw new LostFolderError(folder, readClaim(path)?.holder ?? null);
  });
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      endGuard();
      const remove = isOwn();
      closeSync(handle);
      if (remove) rmSync(path, { force: true });
    },
  };
}

/**
 * The folder has been removed, moved or taken over while this process held its lock: it writes nothing there any more,
 * and its own files are wherever the folder has gone.
 */
export class LostFolderError extends UserError {
  constructor(folder: string, holder: Holder | null) {
    const what = holder === null ? `its ${lockFile} is gone` : `it belongs to ${whoIs(holder)} now`;
    super(
      `${folder} is no longer this run's: ${what}. The run stops and writes nothing more there; if it was moved, continue it from where it is with --resume`,
    );
    this.name = "LostFolderError";
  }
}

/** Holds a lock while `work` runs, and gives the directory free then, also where the program ends in the middle. */
export async function whileLocked<T>(lock: RunLock, work: () => Promise<T>): Promise<T> {
  process.once("exit", lock.release);
  try {
    return await work();
  } finally {
    lock.release();
    process.off("exit", lock.release);
  }
}

/** The living process that writes to a run directory, in words; null where none does, as far as can be seen from here. */
export function livingHolder(folder: string): string | null {
  const holder = readClaim(join(folder, lockFile))?.holder ?? null;
  return holder !== null && lifeOf(holder) === "alive" ? whoIs(holder) : null;
}

interface Claimant {
  readonly beside: string;
  readonly folder: string;
  readonly force: boolean;
}

/**
 * Puts this process's claim at `path`. A dead holder's claim may be replaced only by who holds its succession, a claim
 * at a path named after it. As the succession is given up by moving it into place, whoever takes it later finds
 * another claim at `path`, and tries again: there is no moment at which two may replace.
 */
function claim(path: string, claimant: Claimant): void {
  for (;;) {
    if (linkExclusively(claimant.beside, path)) return;
    const current = readClaim(path);
    if (current === null) continue;
    refuseLiving(current, claimant);
    const succession = `${path}.${createHash("sha256").update(current.text).digest("hex").slice(0, 16)}`;
    claim(succession, claimant);
    if (readClaim(path)?.text === current.text) {
      renameSync(succession, path);
      return;
    }
    rmSync(succession, { force: true });
  }
}

/** File systems without hard links say so with one of these. */
const linkless = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

function linkExclusively(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (code === "EEXIST") return false;
    if (!linkless.has(code)) throw error;
    return copyExclusively(from, to);
  }
}

/** As good against a race; who dies in the middle leaves a damaged lock, which needs --force. */
function copyExclusively(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    syncFile(to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** null where there is none (any more). @throws UserError that names it where it cannot be read. */
function readClaim(path: string): Claim | null {
  let text: string;
  try {
    text = readWholeFile(path).toString("utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new UserError(
      `cannot read ${path}: ${explainFileError(error)}; when no run uses the directory, remove this lock`,
      { cause: error },
    );
  }
  return { text, holder: parseHolder(text) };
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function refuseLiving({ holder }: Claim, { folder, force }: Claimant): void {
  const life = holder === null ? "unknown" : lifeOf(holder);
  if (life === "dead" || (life === "unknown" && force)) return;
  if (holder === null) {
    throw new UserError(
      `${folder} is locked by a damaged ${lockFile}: when no run uses the directory, take it over with --force`,
    );
  }
  const who = whoIs(holder);
  throw new UserError(
    life === "alive"
      ? `${folder} is in use by another run (${who}): wait for it, stop it, or choose another directory with --out`
      : `${folder} is locked by ${who}, which cannot be seen from here: when it runs no more, take over with --force`,
  );
}

const whoIs = ({ pid, host, since }: Holder): string => `process ${pid} on ${host}, since ${since}`;
