import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { destination, type Logger, multistream, pino } from "pino";
import pretty from "pino-pretty";
import type { Reporter } from "../base/progress.ts";
import { terminalProgress } from "./terminal-progress.ts";

export interface GlobalOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** What a command has besides its options. */
export interface Context {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly reporter: Reporter;
  /** Writes a line of results to standard output. */
  print(text: string): void;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** A reporter that also appends to a run's event log (NDJSON). */
  openEventLog(path: string): Reporter;
}

/** Logs go to standard error: readable on a terminal, NDJSON to files and pipes. */
export function createContext(
  { json = false, verbose = false, quiet = false }: GlobalOptions,
  stop: AbortSignal,
): Context {
  const interactive = process.stderr.isTTY === true;
  const level = quiet ? "error" : "info";
  const terminal = interactive
    ? pretty({
        destination: 2,
        sync: true,
        ignore: "pid,hostname",
        translateTime: "HH:MM:ss",
        colorize: !process.env.NO_COLOR,
      })
    : destination({ fd: 2, sync: true });
  const progress = terminalProgress(interactive && !quiet);
  const reporterOf = (log: Logger): Reporter => ({
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    progress,
  });
  return {
    json,
    verbose,
    stop,
    reporter: reporterOf(pino({ level, base: null }, terminal)),
    print: (text) => void process.stdout.write(`${text}\n`),
    openEventLog(path) {
      mkdirSync(dirname(path), { recursive: true });
      const events = destination({ dest: path, append: true, sync: true });
      return reporterOf(
        pino(
          { level: "info", base: null },
          multistream([
            { level, stream: terminal },
            { level: "info", stream: events },
          ]),
        ),
      );
    },
  };
}
