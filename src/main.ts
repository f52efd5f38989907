#!/usr/bin/env node
import { createRequire } from "node:module";
import { CommanderError } from "commander";
import { createContext } from "./commands/context.ts";
import { createProgram } from "./commands/program.ts";
import { StopRequest } from "./commands/stop-request.ts";
import { exitCodes, messageOf, UserError } from "./core/errors.ts";

// The package's own file: it has one.
const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const verbose = process.argv.includes("--verbose");

const stop = new StopRequest((code) => process.exit(code));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stop.hear(signal) === "asked")
      process.stderr.write(`${signal}: stopping after this step, and saving; a second one stops at once\n`);
  });
}
// Whoever has started this process with a channel, a sweep, is gone: nobody else would stop it, and a sweep that goes
// on waits for it.
if (process.send !== undefined) {
  if (!process.connected) process.exit(exitCodes.terminated);
  process.once("disconnect", () => stop.hear("SIGTERM"));
  process.channel?.unref();
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    process.stderr.write(`${error.message}\nSee bayesian-bits --help\n`);
    return exitCodes.usage;
  }
  const known = error instanceof UserError;
  process.stderr.write(`${known ? "error" : "internal error (please report it)"}: ${messageOf(error)}\n`);
  if (verbose) process.stderr.write(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
  return known ? error.exitCode : exitCodes.failed;
}

try {
  await createProgram(version, (options) => createContext(options, stop)).parseAsync(process.argv);
} catch (error) {
  process.exitCode = explain(error);
}
