import { createHash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { codeOf } from "./errors.ts";

/** What nobody can vouch for (another machine's, on a shared disk) is left over after this long. */
const STALE_MS = 24 * 3600 * 1000;

/** This machine in the names of files, which have no room for its whole name. */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** What is being written or verified, beside its place: `.record.json.0a1b2c3d.4711.part`. */
const partName = /^\.(.+)\.([0-9a-f]{8})\.(\d+)\.(?:part|unverified)$/;

/** Where this process keeps what will be at `path` while it is written, or until it is verified. */
export const placeBeside = (path: string, state: "part" | "unverified"): string =>
  join(dirname(path), `.${basename(path)}.${machine}.${process.pid}.${state}`);

/** Removes what killed writers of `path` have left beside it. */
export function removeLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of namesIn(folder)) {
    const [, target, host, pid] = partName.exec(name) ?? [];
    if (target !== basename(path) || Number(pid) === process.pid) continue;
    const part = join(folder, name);
    if (isLeftover(part, { isHere: host === machine, pid: Number(pid) })) rmSync(part, { force: true });
  }
}

/** Removes what killed writers have left half-written in `folder`. Call it only while no other process writes there. */
export function removeParts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/^\..+\.\d+\.(part|unverified)$/.test(name)) rmSync(join(folder, name), { force: true });
  }
}

/** Whether whoever made `path` will not finish it: it ran on this machine and has ended, or has done nothing for a day. */
export function isLeftover(path: string, { isHere, pid }: { readonly isHere: boolean; readonly pid: number }): boolean {
  if (isHere && !isAlive(pid)) return true;
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
  return Date.now() - mtimeMs > STALE_MS;
}

/** Whether a process of this number is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's, and runs.
    return codeOf(error) === "EPERM";
  }
}

/** None where the folder cannot be listed: what is written there does not need it. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
