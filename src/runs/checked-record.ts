import type { z } from "zod";
import { type RunRecord, recordSchema } from "./record.ts";

/** The first lines of trouble are enough to see what is damaged. */
const shownIssues = 5;

/**
 * A record as it is written.
 *
 * @throws a plain Error (a defect) when it breaks its own schema, as a non-finite loss does: it could not be read back.
 */
export function checkedRecord(record: RunRecord): RunRecord {
  const checked = recordSchema.safeParse(record);
  if (checked.success) return checked.data;
  throw new Error(`the run's record breaks its schema:\n${listIssues(checked.error)}`);
}

/** One line per issue: `  epochs[2].quantizers.conv1.quantizer.bits: Invalid input`. */
export function listIssues({ issues }: z.ZodError): string {
  const lines = issues.slice(0, shownIssues).map(({ path, message }) => `  ${placeOf(path)}: ${message}`);
  const more = issues.length - shownIssues;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "the whole record"
    : path
        .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
        .join("");
