import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import type { Ops } from "../../src/engine/ops.ts";
import type { Outcome } from "./compare.ts";
import { checkBops, checkHardConcrete, checkRegularizer, checkSchedule } from "./host.ts";
import { checkQuantizer } from "./quantizer.ts";
import { checkTrajectory } from "./trajectory.ts";

const checks: Readonly<Record<string, (content: unknown, ops: Ops) => Outcome>> = {
  "quantizer.json": checkQuantizer,
  "hard_concrete.json": checkHardConcrete,
  "regularizer.json": checkRegularizer,
  "lr_schedule.json": checkSchedule,
  "relative_bops.json": checkBops,
  "trajectory.json": checkTrajectory,
};

export interface FileOutcome extends Outcome {
  readonly file: string;
}

/** Checks every golden file of `folder` that is known by its name. */
export function checkFolder(folder: string, ops: Ops): readonly FileOutcome[] {
  const found = readdirSync(folder)
    .filter((name) => name in checks)
    .sort();
  if (found.length === 0)
    throw new UserError(`no golden file found in ${folder}: expected ${Object.keys(checks).join(", ")}`);
  return found.map((file) => {
    const { cases, failed, maxError } = checks[file]!(JSON.parse(readFileSync(join(folder, file), "utf8")), ops);
    return { file, cases, failed, maxError };
  });
}
