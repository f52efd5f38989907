import { type DestinationStream, destination, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { printable } from "../core/printable.ts";
import type { Reporter } from "../core/progress.ts";
import { channelProgress } from "./channel-progress.ts";
import type { StopRequest } from "./stop-request.ts";
import { terminalProgress, writeAbove } from "./terminal-progress.ts";

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
}

/** Logs go to standard error: readable on a terminal, NDJSON to files and pipes. */
export function createContext(
  { json = false, verbose = false, quiet = false }: GlobalOptions,
  stop: StopRequest,
): Context {
  const interactive = process.stderr.isTTY === true;
  const level = quiet ? "error" : "info";
  const progress = channelProgress() ?? terminalProgress(interactive && !quiet);
  const log = pino({ level, base: null }, interactive ? prettyLog() : plainLog());
  return {
    json,
    verbose,
    stop: stop.signal,
    holdStops: (work) => stop.hold(work),
    reporter: {
      info: (message) => log.info(printable(message)),
      warn: (message) => log.warn(printable(message)),
      progress,
    },
    print: (text) => writeAbove(() => void process.stdout.write(`${printable(text)}\n`)),
  };
}

/** Lines for people, above the progress bar. */
function prettyLog(): DestinationStream {
  const colorize = !process.env.NO_COLOR;
  const format = prettyFactory({ ignore: "pid,hostname", translateTime: "HH:MM:ss", colorize });
  return { write: (line) => writeAbove(() => void process.stderr.write(format(line))) };
}

/** Lines for machines. */
function plainLog(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  // A log that cannot be written stops no training: there is nowhere left to say so.
  stream.on("error", () => {});
  return stream;
}
