#!/usr/bin/env node
import { createRequire } from "node:module";
import { CommanderError } from "commander";
import { exitCodes, messageOf, UserError } from "./base/errors.ts";
import { createContext } from "./commands/context.ts";
import { createProgram } from "./commands/program.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const verbose = process.argv.includes("--verbose");

/** The first signal asks the command to stop after saving; the second one stops at once. */
const stop = new AbortController();
for (const [signal, code] of [
  ["SIGINT", exitCodes.interrupted],
  ["SIGTERM", exitCodes.terminated],
] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(code);
    stop.abort(signal);
  });
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
  if (verbose) process.stderr.write(`${(error as Error).stack ?? ""}\n`);
  return known ? error.exitCode : exitCodes.failed;
}

try {
  await createProgram(version, (options) => createContext(options, stop.signal)).parseAsync(process.argv);
} catch (error) {
  process.exitCode = explain(error);
}
