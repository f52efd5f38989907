import { type DestinationStream, destination, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { printable } from "../core/printable.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { channelProgress } from "./channel-progress.ts";
import { lineProgress } from "./line-progress.ts";
import type { LogFormat } from "./log-formats.ts";
import type { StopRequest } from "./stop-request.ts";
import { terminalProgress, writeAbove } from "./terminal-progress.ts";

export interface GlobalOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly logFormat?: LogFormat;
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

/** Logs go to standard error: pretty on a terminal, plain lines to files and pipes. */
export function createContext(
  { json = false, verbose = false, quiet = false, logFormat }: GlobalOptions,
  stop: StopRequest,
): Context {
  const interactive = process.stderr.isTTY === true;
  const format = logFormat ?? (interactive ? "pretty" : "plain");
  const log = pino({ level: quiet ? "error" : "info", base: null }, logs[format]());
  const shown = interactive && format === "pretty" ? terminalProgress() : lineProgress((line) => log.info(line));
  const progress = channelProgress() ?? (quiet ? silent.progress : shown);
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

const logs: { readonly [Format in LogFormat]: () => DestinationStream } = {
  pretty: () => lines(!process.env.NO_COLOR),
  plain: () => lines(false),
  json: jsonLines,
};

/** Lines for people, above the progress bar. */
function lines(colorize: boolean): DestinationStream {
  const format = prettyFactory({ ignore: "pid,hostname", translateTime: "HH:MM:ss", colorize });
  return { write: (line) => writeAbove(() => void process.stderr.write(format(line))) };
}

function jsonLines(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  // A log that cannot be written stops no training: there is nowhere left to say so.
  stream.on("error", () => {});
  return stream;
}
