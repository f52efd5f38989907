import { spawn } from "node:child_process";
import { UserError } from "../../core/errors.ts";

/** Characters of a tool's output that are kept: what it said last. */
const KEPT = 64 * 1024;

export interface ToolOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMinutes: number;
  readonly signal?: AbortSignal | undefined;
}

/** A tool ended badly; `output` is what it wrote, both streams together. */
export class ToolError extends UserError {
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.name = "ToolError";
    this.output = output;
  }
}

/**
 * Runs a program to its end and gives its output. The program leads a process group of its own, so that its children
 * end with it at the time limit, when `signal` aborts, or when this process exits.
 *
 * @throws ToolError when it cannot start, ends with another code than 0, or is stopped.
 */
export function runTool(command: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const { cwd, env = {}, timeoutMinutes, signal } = options;
  const grouped = process.platform !== "win32";
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    detached: grouped,
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = "";
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let stopped: string | null = null;
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(grouped ? -child.pid : child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  const stop = (why: string) => {
    stopped ??= why;
    kill();
  };
  const onAbort = () => stop("stopped");
  const timer = setTimeout(() => stop(`took longer than ${timeoutMinutes} minutes`), timeoutMinutes * 60_000);
  process.once("exit", kill);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  return new Promise<string>((resolve, reject) => {
    child.on("error", (error) => reject(new ToolError(`${command}: ${error.message}`, output)));
    child.on("close", (code, by) => {
      if (code === 0 && stopped === null) resolve(output);
      else
        reject(new ToolError(`${command}: ${stopped ?? (by ? `ended by ${by}` : `ended with code ${code}`)}`, output));
    });
  }).finally(() => {
    clearTimeout(timer);
    process.off("exit", kill);
    signal?.removeEventListener("abort", onAbort);
  });
}
