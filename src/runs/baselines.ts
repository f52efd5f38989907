import { existsSync, rmSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { listOf } from "../core/list-schema.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import type { RunRecord } from "./record.ts";
import { readRecord } from "./record-file.ts";

/** The runs that a run's report holds it against, in its folder: whoever writes the report anew keeps them. */
export const baselineFile = "baselines.json";

const schema = z.strictObject({
  format: z.literal("bayesian-bits-baselines"),
  /** Their folders, seen from the run's own. */
  runs: listOf(z.string().min(1)),
});

/** Keeps the folders of the runs that a report is held against; none: forgets them. */
export function keepBaselines(folder: string, runs: readonly string[]): void {
  const path = join(folder, baselineFile);
  if (runs.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  const places = runs.map((run) => relative(resolve(folder), resolve(run)).split(sep).join("/") || ".");
  writeFileAtomically(path, `${JSON.stringify({ format: "bayesian-bits-baselines", runs: places }, null, 1)}\n`);
}

/**
 * Records of the runs that a report is held against.
 *
 * @param warn Hears of those that cannot be read any more, or of the file that names them: a report is not lost for that.
 */
export function readBaselines(folder: string, warn: (message: string) => void): readonly RunRecord[] {
  const path = join(folder, baselineFile);
  if (!existsSync(path)) return [];
  let runs: readonly string[];
  try {
    ({ runs } = schema.parse(parseJson(readWholeFile(path).toString("utf8"))));
  } catch (error) {
    const why = error instanceof z.ZodError ? "it does not name runs" : messageOf(error);
    warn(`cannot read ${path}: ${why}: the report has no baselines; give them again with report --baseline`);
    return [];
  }
  return runs.flatMap((place) => {
    try {
      return [readRecord(join(folder, place))];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(`${folder}: its report leaves out the baseline ${place}: ${error.message}`);
      return [];
    }
  });
}
