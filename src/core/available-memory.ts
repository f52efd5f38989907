import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";

/**
 * Bytes that this process may still use: what the system has available, and what the limits of its control groups
 * (containers, schedulers) leave. File cache counts as available: the system gives it up.
 *
 * @param root Where the system's files are; tests bring their own.
 */
export function availableMemory(root = "/"): number {
  const meminfo = readText(join(root, "proc/meminfo"));
  const kibibytes = /^MemAvailable:\s*(\d+) kB$/m.exec(meminfo ?? "")?.[1];
  // Other systems do not tell what their caches would give up: only what cannot fit at all is known.
  const free = kibibytes === undefined ? totalmem() : 1024 * Number(kibibytes);
  return Math.min(free, ...groupFolders(root).map((folder) => leftInGroup(folder)));
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
