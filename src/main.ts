#!/usr/bin/env node
import { requireAddresses } from "./core/available-memory.ts";
import { explainedError } from "./core/explain-error.ts";
import { printable } from "./core/printable.ts";

// The program is loaded here and not above: where a limit of the system is met on the way, it is told by its name.
try {
  requireAddresses();
  const { runCommandLine } = await import("./commands/command-line.ts");
  await runCommandLine();
} catch (error) {
  const { text, exitCode } = explainedError(error, { verbose: process.argv.includes("--verbose") });
  process.stderr.write(`${printable(text)}\n`);
  process.exitCode = exitCode;
}
