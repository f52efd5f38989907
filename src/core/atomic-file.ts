import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { codeOf, messageOf, UserError } from "./errors.ts";
import { explainFileError } from "./file-errors.ts";
import { askGuards } from "./folder-guards.ts";
import { placeBeside, removeLeftovers } from "./leftovers.ts";
import { piecesOf } from "./pieces.ts";

/**
 * Replaces the file at `path` so that a reader, or a machine that loses power, sees the old bytes or the new ones and
 * nothing between: written beside, fsynced, renamed, and the folder fsynced. Folders are created as needed.
 *
 * @param content Its parts, where there are several, one behind the other.
 * @param keepOld Where the file that is replaced goes, in the same folder; without it, it is gone.
 * @throws UserError that names the file, the cause (full disk, no permission, a path below a file) and the remedy, or
 * says that the folder is no longer this process's.
 */
export function writeFileAtomically(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
  { keepOld }: { keepOld?: string } = {},
): void {
  askGuards(path);
  const folder = dirname(path);
  const beside = placeBeside(path, "part");
  try {
    makeFolder(folder);
    removeLeftovers(path);
    const file = openSync(beside, "w");
    try {
      for (const part of partsOf(content)) {
        for (const piece of piecesOf(part)) {
          for (let offset = 0; offset < piece.byteLength; ) offset += writeSync(file, piece, offset);
        }
      }
      sync(file, path);
    } finally {
      closeSync(file);
    }
    if (keepOld !== undefined) renameIfThere(path, keepOld);
    renameSync(beside, path);
    syncFolder(folder);
  } catch (error) {
    removeQuietly(beside);
    // Moved or removed since: that is why.
    askGuards(path);
    throw new UserError(`cannot write ${path}: ${explainFileError(error)}`, { cause: error });
  }
}

const partsOf = (content: string | Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] =>
  typeof content === "string" ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content;

/**
 * Writes `text` at byte `offset` of the file at `path`, which then ends with it, and makes it durable. What a killed or
 * failed write has left behind `offset` goes; what is before stays as it is.
 *
 * @throws UserError as {@link writeFileAtomically}.
 */
export function writeFileFrom(path: string, offset: number, text: string): void {
  askGuards(path);
  const folder = dirname(path);
  try {
    makeFolder(folder);
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    try {
      ftruncateSync(file, offset);
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.byteLength; )
        done += writeSync(file, bytes, done, bytes.byteLength - done, offset + done);
      sync(file, path);
    } finally {
      closeSync(file);
    }
    if (offset === 0) syncFolder(folder);
  } catch (error) {
    askGuards(path);
    throw new UserError(`cannot write ${path}: ${explainFileError(error)}`, { cause: error });
  }
}

/** Makes a folder and those above it, and their names durable: a file is lost with the name of its folder. */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  // Not mkdir's own `recursive`: it tries for ever where a system's folder (/proc) says that a new one does not exist.
  for (let place = resolve(folder); !isFolder(place); place = dirname(place)) missing.push(place);
  for (const place of missing.reverse()) {
    makeOne(place);
    syncFolder(dirname(place));
  }
}

/** @throws the system's error where there is no folder of that name then: another process may have made it meanwhile. */
function makeOne(place: string): void {
  try {
    mkdirSync(place);
  } catch (error) {
    if (!isFolder(place)) throw error;
  }
}

/** What lies below a file is none. */
function isFolder(place: string): boolean {
  try {
    return statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? place === dirname(place);
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** Clears what a failed write left; the failure itself is what is told. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // There is nothing: the folder could not even be made.
  }
}

/** Makes a rename in `folder` durable. Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    sync(handle, folder);
  } finally {
    closeSync(handle);
  }
}

/** Makes the content of a file durable. */
export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    sync(file, path);
  } finally {
    closeSync(file);
  }
}

/** How file systems (some network and FUSE ones) say that they have no fsync, of folders above all. */
const noSync = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);
let saidThatUnsynced = false;

/** Where the file system cannot make it durable, everything else still holds: that is said once, and no failure. */
function sync(handle: number, path: string): void {
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!noSync.has(codeOf(error) ?? "")) throw error;
    if (saidThatUnsynced) return;
    saidThatUnsynced = true;
    process.emitWarning(
      `the file system of ${path} cannot make writes durable (${messageOf(error)}): a machine that loses power may lose the last files there`,
    );
  }
}
