import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import { isAlive } from "../core/leftovers.ts";

/** Names one process for good: a pid alone is given to another process later. */
export const processIdentity = z.object({
  host: z.string(),
  /** Changes with every start of the machine. */
  boot: z.string().nullable(),
  /** Differs between containers of one host: pids of another one say nothing here. */
  pidNamespace: z.string().nullable(),
  pid: z.int().positive(),
  /** When the process started, in the system's own units; null where the system does not tell. */
  started: z.string().nullable(),
});

export type ProcessIdentity = z.infer<typeof processIdentity>;

/** This process. */
export const ownIdentity = (): ProcessIdentity => ({
  host: hostname(),
  boot: quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  pidNamespace: quietly(() => readlinkSync("/proc/self/ns/pid")),
  pid: process.pid,
  started: startOf(process.pid),
});

/**
 * Whether that process still runs, as far as it can be told from here: another host's, or one of another container of
 * this host, cannot be seen.
 */
export function lifeOf(other: ProcessIdentity, own: ProcessIdentity = ownIdentity()): "alive" | "dead" | "unknown" {
  if (other.host !== own.host) return "unknown";
  if (other.boot !== own.boot) return "dead";
  if (other.pidNamespace !== own.pidNamespace) return "unknown";
  if (!isAlive(other.pid)) return "dead";
  const started = startOf(other.pid);
  if (started === "ended") return "dead";
  return started === null || other.started === null || started === other.started ? "alive" : "dead";
}

/**
 * Start of a process: on Linux in clock ticks since the machine's start (proc(5), field 22), else as `ps` says. Null
 * where the system does not tell; "ended" for one that has ended and only waits to be asked how (state Z or X).
 */
function startOf(pid: number): string | null {
  if (process.platform === "win32") return null;
  if (process.platform !== "linux") {
    const shown = quietly(() => execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }));
    const [, state, start] = /^\s*(\S+)\s+(.*\S)\s*$/.exec(shown ?? "") ?? [];
    return state?.startsWith("Z") ? "ended" : (start ?? null);
  }
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === null) return null;
  // The second field, the program's name, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return /^[ZXx]/.test(fields[0] ?? "") ? "ended" : (fields[19] ?? null);
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
