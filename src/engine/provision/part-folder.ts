import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { makeFolder as makeFolders, syncFolder } from "../../core/atomic-file.ts";
import { codeOf } from "../../core/errors.ts";
import { isLeftover } from "../../core/leftovers.ts";

let made = 0;
const own = new Set<string>();

/**
 * Lets `fill` make a folder beside `folder`, which then gets its name in one rename: `folder` is whole or not there.
 * What killed set-ups left behind is removed first. Of several that do this at once, the first one's stays.
 *
 * @param isWhole Tells a folder that may stay from one that is to be replaced.
 */
export async function makeFolder(
  folder: string,
  isWhole: (folder: string) => boolean,
  fill: (part: string) => Promise<void>,
): Promise<void> {
  makeFolders(dirname(folder));
  removeLeftovers(folder);
  const part = partName(folder);
  own.add(part);
  try {
    mkdirSync(part);
    await fill(part);
    publish(part, folder, isWhole);
  } finally {
    rmSync(part, { recursive: true, force: true });
    own.delete(part);
  }
}

const partName = (folder: string): string => `${folder}.${hostname()}.${process.pid}.${made++}.part`;

function publish(part: string, folder: string, isWhole: (folder: string) => boolean): void {
  try {
    renameSync(part, folder);
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "EPERM") throw error;
    if (isWhole(folder)) return;
    const broken = partName(folder);
    renameSync(folder, broken);
    rmSync(broken, { recursive: true, force: true });
    renameSync(part, folder);
  }
  syncFolder(dirname(folder));
}

function removeLeftovers(folder: string): void {
  const prefix = `${basename(folder)}.`;
  for (const name of readdirSync(dirname(folder))) {
    if (!name.startsWith(prefix) || !name.endsWith(".part")) continue;
    const path = join(dirname(folder), name);
    if (isAbandoned(path, name.slice(prefix.length))) rmSync(path, { recursive: true, force: true });
  }
}

/** `maker` is host.pid.number.part; host names have dots. */
function isAbandoned(path: string, maker: string): boolean {
  if (own.has(path)) return false;
  const [, host, pid] = /^(.*)\.(\d+)\.\d+\.part$/.exec(maker) ?? [];
  const isHere = host === hostname();
  // This process's number has been another's: those that are its own are known.
  return (isHere && Number(pid) === process.pid) || isLeftover(path, { isHere, pid: Number(pid) });
}
