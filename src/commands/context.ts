import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { destination, type Logger, multistream, pino } from "pino";
import pretty from "pino-pretty";
import { UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import type { Reporter } from "../core/progress.ts";
import { channelProgress } from "./channel-progress.ts";
import type { StopRequest } from "./stop-request.ts";
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
  /** Aborted by the first SIGINT or SIGTERM, where `holdStops` holds it. */
  readonly stop: AbortSignal;
  /** While `work` runs, the first signal only aborts `stop`; otherwise a signal ends the program at once. */
  holdStops<T>(work: () => Promise<T>): Promise<T>;
  /** A reporter that also appends to a run's event log (NDJSON). */
  openEventLog(path: string): Reporter;
}

/** Logs go to standard error: readable on a terminal, NDJSON to files and pipes. */
export function createContext(
  { json = false, verbose = false, quiet = false }: GlobalOptions,
  stop: StopRequest,
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
  // A log that cannot be written stops no training: there is nowhere left to say so.
  terminal.on("error", () => {});
  const progress = channelProgress() ?? terminalProgress(interactive && !quiet);
  const reporterOf = (log: Logger): Reporter => ({
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    progress,
  });
  const log = pino({ level, base: null }, terminal);
  let warned = false;
  const warnOnce = (message: string) => {
    if (!warned) log.warn(message);
    warned = true;
  };
  return {
    json,
    verbose,
    stop: stop.signal,
    holdStops: (work) => stop.hold(work),
    reporter: reporterOf(log),
    print: (text) => void process.stdout.write(`${text}\n`),
    openEventLog(path) {
      const events = openFile(path);
      // Training is worth more than its log.
      events.on("error", (error) => warnOnce(`the log ${path} is incomplete: ${explainFileError(error)}`));
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

function openFile(path: string) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return destination({ dest: path, append: true, sync: true });
  } catch (error) {
    throw new UserError(`cannot write the log ${path}: ${explainFileError(error)}`, { cause: error });
  }
}
