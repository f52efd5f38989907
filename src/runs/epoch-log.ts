import { join } from "node:path";
import { z } from "zod";
import { AppendedLog, type LogPlace, parseLine, readLog, readLogged } from "./appended-log.ts";
import { checkedRecord } from "./checked-record.ts";
import type { RunRecord } from "./record.ts";

/** What a run's epochs came to, a line each, while the run is not over: appended to, so that no epoch costs more than another. */
export const epochLogFile = "epochs.ndjson";

/** A line: the epoch as the record has it, unchecked, and what of `times` is its own. */
const lineSchema = z.object({
  epoch: z.unknown(),
  seconds: z.number().optional(),
  waitingForData: z.number().optional(),
});

/** A stored record, of which only what the log adds to is known. */
const headSchema = z.looseObject({ times: z.looseObject({}) });

/** Appends a run's epochs to its log. */
export class EpochLog {
  readonly #log: AppendedLog;

  /**
   * @param place Where the checkpoint is that the run goes on from; null: a run that has no log yet.
   * @throws UserError when the log does not go as far.
   */
  constructor(folder: string, place: LogPlace | null) {
    this.#log = new AppendedLog(join(folder, epochLogFile), place);
  }

  /**
   * Appends the epochs that the log has not, and makes them durable.
   *
   * @throws UserError when the file cannot be written, and the next call tries again from the same place; a plain Error
   * (a defect) when an epoch breaks the record's schema.
   */
  append(record: RunRecord): LogPlace {
    const logged = this.#log.lines;
    // Only what is new is checked: what an epoch costs does not grow with those before it.
    const { epochSeconds, waitingForData } = record.times;
    const { epochs, times } = checkedRecord({
      ...record,
      epochs: record.epochs.slice(logged),
      times: {
        ...record.times,
        epochSeconds: epochSeconds.slice(logged),
        waitingForData: waitingForData.slice(logged),
      },
    });
    return this.#log.append(
      epochs.map((epoch, index) =>
        JSON.stringify({ epoch, seconds: times.epochSeconds[index], waitingForData: times.waitingForData[index] }),
      ),
    );
  }
}

/** The record without what the log has of it. */
export const withoutEpochs = (record: RunRecord): RunRecord => ({
  ...record,
  epochs: [],
  times: { ...record.times, epochSeconds: [], waitingForData: [] },
});

/**
 * A stored record with its epochs, for a run to go on from.
 *
 * @param head As it was stored.
 * @throws UserError when the log is not what was written.
 */
export const withEpochsTo = (folder: string, place: LogPlace, head: unknown): unknown =>
  joined(head, readLogged(join(folder, epochLogFile), place).toString("utf8"));

/**
 * The same for reading alone: as many of `lines` as are there, whole, as the run may be writing, or have been killed.
 */
export function withEpochsSoFar(folder: string, { lines }: LogPlace, head: unknown): unknown {
  const text = lines === 0 ? "" : readLog(join(folder, epochLogFile)).toString("utf8");
  const whole = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  return joined(head, whole.slice(0, lines).join("\n"));
}

/** Lines up to the first that is none. What is no record is for its own schema to refuse. */
function joined(head: unknown, text: string): unknown {
  const parsed = headSchema.safeParse(head);
  if (!parsed.success) return head;
  const lines: z.infer<typeof lineSchema>[] = [];
  for (const line of text.split("\n")) {
    const read = lineSchema.safeParse(parseLine(line));
    if (!read.success) break;
    lines.push(read.data);
  }
  const { times, ...rest } = parsed.data;
  return {
    ...rest,
    epochs: lines.map(({ epoch }) => epoch),
    times: {
      ...times,
      epochSeconds: lines.flatMap(({ seconds }) => seconds ?? []),
      waitingForData: lines.flatMap(({ waitingForData }) => waitingForData ?? []),
    },
  };
}
