import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UsageError, UserError } from "../base/errors.ts";
import { readRecord } from "./record-file.ts";

/** The files of a run (ARCHITECTURE.md, "The run directory"). */
export const runFiles = (folder: string) => ({
  config: join(folder, "config.yaml"),
  events: join(folder, "events.ndjson"),
  checkpoint: join(folder, "checkpoints", "last.safetensors"),
  model: join(folder, "model.onnx"),
  bits: join(folder, "bits.json"),
  report: join(folder, "report.html"),
});

/** How a run begins: anew, from its checkpoint, or not at all because it is done. */
export type Opening = "new" | "resume" | "finished";

/**
 * Decides whether a run may use `folder`, and makes the folder.
 *
 * @throws UsageError when it already holds a run and neither `resume` nor `force` says what to do with it.
 * @throws UserError when it cannot be made.
 */
export function openRunDirectory(folder: string, { resume, force }: { resume: boolean; force: boolean }): Opening {
  try {
    mkdirSync(join(folder, "checkpoints"), { recursive: true });
  } catch (error) {
    throw new UserError(`cannot create the run directory ${folder}: ${messageOf(error)}; choose another with --out`, {
      cause: error,
    });
  }
  const holdsRecord = readdirSync(folder).includes("record.json");
  if (!holdsRecord || force) return "new";
  const { status } = readRecord(folder);
  if (resume) {
    if (status === "finished") return "finished";
    return existsSync(runFiles(folder).checkpoint) ? "resume" : "new";
  }
  throw new UsageError(
    status === "finished"
      ? `${folder} already holds a finished run: use --force to replace it, or --out for another folder`
      : `${folder} already holds a run that is ${status}: use --resume to continue it, or --force to start anew`,
  );
}
