import { createRequire } from "node:module";
import { CommanderError } from "commander";
import { codeOf, exitCodes } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { printable } from "../core/printable.ts";
import { createContext } from "./context.ts";
import { createProgram } from "./program.ts";
import { StopRequest } from "./stop-request.ts";
import { hideBar, writeAbove } from "./terminal-progress.ts";

// The package's own file: it has one.
const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** Runs the command that this process was started with. @throws what the command throws, but for wrong usage. */
export async function runCommandLine(): Promise<void> {
  const stop = new StopRequest((code) => process.exit(code));
  hearSignals(stop);
  watchOutput();
  try {
    await createProgram(version, (options) => createContext(options, stop)).parseAsync(process.argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The help of a command line that names no command has been printed.
    if (error.exitCode === 0 || error.code === "commander.help") return;
    process.stderr.write(`${printable(error.message)}\nSee bayesian-bits --help\n`);
    process.exitCode = exitCodes.usage;
  } finally {
    // What is still to be said has the line to itself.
    hideBar();
  }
}

const say = (text: string): void => writeAbove(() => void process.stderr.write(`${text}\n`));

function hearSignals(stop: StopRequest): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.hear(signal) === "asked")
        say(`${signal}: stopping after this step, and saving; a second one stops at once`);
    });
  }
  // Whoever has started this process with a channel, a sweep, is gone: nobody else would stop it, and a sweep that goes
  // on waits for it.
  if (process.send !== undefined) {
    if (!process.connected) process.exit(exitCodes.terminated);
    process.once("disconnect", () => stop.hear("SIGTERM"));
    process.channel?.unref();
  }
}

/** Results that cannot be written are a failure, but no reason to stop what goes on; a reader may leave at any time. */
function watchOutput(): void {
  let isTold = false;
  process.stdout.on("error", (error) => {
    if (codeOf(error) === "EPIPE" || isTold) return;
    isTold = true;
    say(`error: cannot write to standard output: ${explainFileError(error)}`);
    process.exitCode = exitCodes.failed;
  });
  // There is nowhere left to say so.
  process.stderr.on("error", () => {});
}
