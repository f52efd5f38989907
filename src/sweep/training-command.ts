import { canonicalConfig } from "../config/canonical.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import type { PlannedRun } from "./plan.ts";
import { filesOfRun } from "./sweep-folder.ts";

/** Writes a run's configuration, and gives the command that trains it, or goes on with it. */
export function trainingCommand(
  program: readonly [string, ...string[]],
  folder: string,
  { run, force }: { readonly run: PlannedRun; readonly force: boolean },
): readonly [string, ...string[]] {
  const { config, folder: out } = filesOfRun(folder, run.name);
  writeFileAtomically(config, canonicalConfig(run.config));
  return [...program, "train", config, "--out", out, "--resume", ...(force ? ["--force"] : [])];
}
