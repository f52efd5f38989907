import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { UserError } from "./errors.ts";

/**
 * Bytes that this process may still use: what the system has available, and what its own limit (ulimit -v) and those of
 * its control groups (containers, schedulers) leave. File cache counts as available: the system gives it up.
 *
 * @param root Where the system's files are; tests bring their own.
 */
export function availableMemory(root = "/"): number {
  const meminfo = readText(join(root, "proc/meminfo"));
  const kibibytes = /^MemAvailable:\s*(\d+) kB$/m.exec(meminfo ?? "")?.[1];
  // Other systems do not tell what their caches would give up: only what cannot fit at all is known.
  const free = kibibytes === undefined ? totalmem() : 1024 * Number(kibibytes);
  return Math.min(free, addressesLeft(root), ...groupFolders(root).map((folder) => leftInGroup(folder)));
}

/** Bytes. With less, Node ends in the middle, with a page of its own addresses. */
const leastAddresses = 2 ** 29;

/** @throws UserError where a limit leaves this process too few addresses for anything. */
export function requireAddresses(root = "/"): void {
  const left = addressesLeft(root);
  if (left >= leastAddresses) return;
  throw new UserError(
    `${Math.round(left / 2 ** 20)} MiB of addresses are left to this process, and it takes ${leastAddresses / 2 ** 20} MiB at least: raise the limit (ulimit -v)`,
  );
}

/** What a limit of the process's addresses leaves; infinite without one. */
function addressesLeft(root: string): number {
  const limits = readText(join(root, "proc/self/limits")) ?? "";
  const limit = /^Max address space +(\d+)/m.exec(limits)?.[1];
  const status = readText(join(root, "proc/self/status")) ?? "";
  const used = /^VmSize:\s*(\d+) kB$/m.exec(status)?.[1];
  if (limit === undefined || used === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, Number(limit) - 1024 * Number(used));
}

/** The folders of this process's memory groups, from its own up to the root; of both versions of the interface. */
function groupFolders(root: string): string[] {
  const lines = (readText(join(root, "proc/self/cgroup")) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (controllers === "") return upwards(join(root, "sys/fs/cgroup"), path);
    return controllers!.split(",").includes("memory") ? upwards(join(root, "sys/fs/cgroup/memory"), path) : [];
  });
}

function upwards(mount: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, dropped) =>
    join(mount, ...parts.slice(0, parts.length - dropped)),
  );
}

/** What a group's limit leaves; infinite without one. */
function leftInGroup(folder: string): number {
  const read = (name: string) => Number(readText(join(folder, name))?.trim() || Number.NaN);
  const stat = readText(join(folder, "memory.stat")) ?? "";
  const field = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  const second = { limit: read("memory.max"), used: read("memory.current") };
  const first = { limit: read("memory.limit_in_bytes"), used: read("memory.usage_in_bytes") };
  const { limit, used } = Number.isNaN(second.used) ? first : second;
  // "max" is not a number: there is no limit then.
  if (!(limit < Number.MAX_SAFE_INTEGER) || Number.isNaN(used)) return Number.POSITIVE_INFINITY;
  const prefix = Number.isNaN(second.used) ? "total_" : "";
  return Math.max(0, limit - used + field(`${prefix}active_file`) + field(`${prefix}inactive_file`));
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
