import { dirname } from "node:path";
import { destination, pino } from "pino";
import { makeFolder } from "../core/atomic-file.ts";
import { UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import type { Reporter } from "../core/progress.ts";

/** A reporter that also writes what it hears to a file, until it is disposed of. */
export interface EventLog extends Reporter, Disposable {}

/**
 * Appends what a run reports to its event log (NDJSON), beside what `reporter` makes of it.
 *
 * @throws UserError when the file cannot be opened.
 */
export function openEventLog(path: string, reporter: Reporter): EventLog {
  const file = openFile(path);
  let isBroken = false;
  file.on("error", (error) => {
    // Training is worth more than its log.
    if (!isBroken) reporter.warn(`the log ${path} is incomplete: ${explainFileError(error)}`);
    isBroken = true;
  });
  const events = pino({ level: "info", base: null }, file);
  return {
    info(message) {
      reporter.info(message);
      events.info(message);
    },
    warn(message) {
      reporter.warn(message);
      events.warn(message);
    },
    progress: reporter.progress,
    [Symbol.dispose]: () => file.end(),
  };
}

function openFile(path: string) {
  try {
    makeFolder(dirname(path));
    return destination({ dest: path, append: true, sync: true });
  } catch (error) {
    throw new UserError(`cannot write the log ${path}: ${explainFileError(error)}`, { cause: error });
  }
}
