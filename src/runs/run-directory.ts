import { existsSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type ExportForm, exportForms } from "../config/sections/export-settings.ts";
import { makeFolder, syncFolder } from "../core/atomic-file.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { askGuards } from "../core/folder-guards.ts";
import { removeParts } from "../core/leftovers.ts";
import { baselineFile } from "./baselines.ts";
import { epochLogFile } from "./epoch-log.ts";
import { imageLogFile } from "./image-log.ts";
import { acquireLock, type RunLock } from "./lock.ts";
import { readRecord, recordFile } from "./record-file.ts";

/** How texts become numbers of tokens, beside a network that reads them. */
export const vocabularyFile = "vocabulary.json";

/** The files of a run (docs/formats.md). */
export const runFiles = (folder: string) => ({
  config: join(folder, "config.yaml"),
  events: join(folder, "events.ndjson"),
  checkpoint: join(folder, "checkpoints", "last.safetensors"),
  /** Of a run that exports ONNX. */
  model: join(folder, "model.onnx"),
  bits: join(folder, "bits.json"),
  report: join(folder, "report.html"),
  vocabulary: join(folder, vocabularyFile),
});

/** The file with the hashes of a finished run's files. */
export const runManifestFile = "files.json";

const endings: Readonly<Record<ExportForm, string>> = {
  compact: "onnx",
  packed: "onnx",
  int8: "onnx",
  nbits: "onnx",
  fp32: "onnx",
  qonnx: "onnx",
  tflite: "tflite",
  "c-array": "h",
};

/** Where the exported network goes: of the run's own form and others whose names end alike, the others say which. */
export const modelFile = (folder: string, form: ExportForm, own = form): string =>
  join(folder, endings[form] === "onnx" && form !== own ? `model.${form}.onnx` : `model.${endings[form]}`);

/** Every file that an exported network can have: of the run's own form, and of the others. */
export const modelFiles = (folder: string): readonly string[] => [
  ...new Set(exportForms.flatMap((own) => exportForms.map((form) => modelFile(folder, form, own)))),
];

/** The checkpoint before the last one: there while a run is in training, should the last be damaged. */
export const previousCheckpoint = (folder: string): string => join(folder, "checkpoints", "previous.safetensors");

/** Where a last checkpoint goes that turned out damaged. */
export const unreadableCheckpoint = (folder: string): string => join(folder, "checkpoints", "unreadable.safetensors");

/** How a run begins: anew, from its checkpoint, or not at all because it is done. */
export type Opening = "new" | "resume" | "finished";

export interface OpenedRun {
  readonly opening: Opening;
  /** Held by this process: nobody else writes here. */
  readonly lock: RunLock;
}

/**
 * Makes the run directory where there is none, locks it, and decides how a run begins there.
 *
 * @throws UsageError when it already holds a run and neither `resume` nor `force` says what to do with it.
 * @throws UserError when it cannot be made, or another process writes there.
 */
export function openRunDirectory(
  folder: string,
  { resume, force }: { readonly resume: boolean; readonly force: boolean },
): OpenedRun {
  requireOwnFolder(folder);
  const checkpoints = join(folder, "checkpoints");
  try {
    makeFolder(checkpoints);
  } catch (error) {
    throw new UserError(
      `cannot create the run directory ${folder}: ${explainFileError(error)}; choose another with --out`,
      { cause: error },
    );
  }
  const lock = acquireLock(folder, { force });
  try {
    for (const place of [folder, checkpoints]) removeParts(place);
    return { opening: openingOf(folder, { resume, force }), lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @throws UsageError for a name under which a run, or a sweep, can have no folder of its own. */
export function requireOwnFolder(folder: string): void {
  if (folder === "") throw new UsageError("--out: expected a folder, got an empty name");
  const place = resolve(folder);
  if (place === dirname(place)) throw new UsageError(`--out ${folder}: expected a folder of its own, got the root`);
}

const hasRecord = (folder: string): boolean => existsSync(join(folder, recordFile));
const hasCheckpoint = (folder: string): boolean =>
  [runFiles(folder).checkpoint, previousCheckpoint(folder)].some((path) => existsSync(path));

function openingOf(folder: string, { resume, force }: { resume: boolean; force: boolean }): Opening {
  // With --resume, --force only takes a lock over.
  if (resume) {
    if (hasRecord(folder) && readRecord(folder).status === "finished") return "finished";
    return hasCheckpoint(folder) ? "resume" : "new";
  }
  if (force || !(hasRecord(folder) || hasCheckpoint(folder))) return "new";
  const status = hasRecord(folder) ? readRecord(folder).status : "stopped";
  throw new UsageError(
    status === "finished"
      ? `${folder} already holds a finished run: use --force to replace it, or --out for another folder`
      : `${folder} already holds a run that is ${status}: use --resume to continue it, or --force to start anew`,
  );
}

/**
 * Removes what an earlier run has left, before a new one writes its own: the two must never mix.
 *
 * @throws UserError that names the folder, the cause and the remedy.
 */
export function clearRun(folder: string): void {
  const { config, checkpoint, bits, report, vocabulary } = runFiles(folder);
  const models = modelFiles(folder);
  const checkpoints = [checkpoint, previousCheckpoint(folder), unreadableCheckpoint(folder)];
  askGuards(folder);
  try {
    // The record first: without it, what is left of the old run passes for one that was stopped. The logs last: such a
    // run cannot go on from its checkpoints without them.
    const own = [recordFile, runManifestFile, baselineFile].map((name) => join(folder, name));
    const files = [...own, report, ...models, bits, vocabulary, config];
    for (const path of [...files, ...checkpoints]) rmSync(path, { force: true });
    for (const place of [folder, dirname(checkpoint)]) syncFolder(place);
    for (const name of [epochLogFile, imageLogFile]) rmSync(join(folder, name), { force: true });
    syncFolder(folder);
  } catch (error) {
    throw new UserError(`cannot clear the run directory ${folder}: ${explainFileError(error)}`, { cause: error });
  }
}
