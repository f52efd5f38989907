import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { makeFolder } from "../../core/atomic-file.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { explainFileError } from "../../core/file-errors.ts";

/** How a process ended: with a code, by a signal, or never begun. */
export type Exit = { readonly code: number } | { readonly signal: NodeJS.Signals } | { readonly error: string };

export interface RunProcess {
  readonly ended: Promise<Exit>;
  stop(signal: NodeJS.Signals): void;
}

/** What a run says of itself while it goes on. */
const message = z.object({ done: z.number(), total: z.number().positive() });

/**
 * Starts this program once more. It has a session of its own, so that a terminal's Ctrl-C reaches it through `stop`
 * alone, and a channel whose end tells it that this process is gone (src/commands/command-line.ts).
 *
 * @param log File that its output is appended to.
 * @param progress Hears which share of its work is done, 0 to 1.
 * @throws UserError when the log cannot be opened.
 */
export function startProcess(
  [command, ...args]: readonly [string, ...string[]],
  { log, progress }: { readonly log: string; readonly progress: (share: number) => void },
): RunProcess {
  const output = openLog(log);
  try {
    const child = spawn(command, args, { detached: true, stdio: ["ignore", output, output, "ipc"] });
    child.on("message", (said) => {
      const parsed = message.safeParse(said);
      if (parsed.success) progress(Math.min(1, parsed.data.done / parsed.data.total));
    });
    const ended = new Promise<Exit>((resolve) => {
      child.on("error", (error) => resolve({ error: messageOf(error) }));
      child.on("exit", (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }));
    });
    return { ended, stop: (signal) => void child.kill(signal) };
  } finally {
    closeSync(output);
  }
}

function openLog(path: string): number {
  try {
    makeFolder(dirname(path));
    return openSync(path, "a");
  } catch (error) {
    throw new UserError(`cannot write the log ${path}: ${explainFileError(error)}`, { cause: error });
  }
}
