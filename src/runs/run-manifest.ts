import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { sha256OfFile } from "../core/file-hash.ts";
import { listOf } from "../core/list-schema.ts";
import { readLastCheckpoint } from "./checkpoints.ts";
import { imageLogFile } from "./image-log.ts";
import type { RunRecord } from "./record.ts";
import { readRecord, recordFile, recordText } from "./record-file.ts";
import { modelFiles, runFiles, runManifestFile } from "./run-directory.ts";

const manifestSchema = z.object({
  format: z.literal("bayesian-bits-files"),
  version: z.literal(1),
  files: listOf(z.object({ path: z.string(), bytes: z.int().nonnegative(), sha256: z.string() })),
});

/** What a run is made of, but for its report, which can be made again, and its logs. */
function filesOf(folder: string): readonly string[] {
  const { config, checkpoint, bits, vocabulary } = runFiles(folder);
  return [config, checkpoint, join(folder, imageLogFile), ...modelFiles(folder), bits, vocabulary].filter((path) =>
    existsSync(path),
  );
}

/**
 * Writes the hashes of a finished run's files, then its record, which makes it one that is finished.
 *
 * @throws UserError when a file cannot be written.
 */
export function writeFinishedRecord(folder: string, record: RunRecord): void {
  const text = recordText(record);
  const files = filesOf(folder).map((path) => ({
    path: relative(folder, path),
    bytes: statSync(path).size,
    sha256: sha256OfFile(path),
  }));
  const own = {
    path: recordFile,
    bytes: Buffer.byteLength(text),
    sha256: createHash("sha256").update(text).digest("hex"),
  };
  const manifest = { format: "bayesian-bits-files", version: 1, files: [own, ...files] };
  writeFileAtomically(join(folder, runManifestFile), `${JSON.stringify(manifest, null, 1)}\n`);
  writeFileAtomically(join(folder, recordFile), text);
}

/** A file of a run; `readable`: nothing says which bytes it should have. */
export interface CheckedFile {
  readonly path: string;
  readonly state: "whole" | "readable" | "missing" | "damaged";
}

export interface VerifiedRun {
  /** Whether the run has the hashes of its files: those of older versions, and those that go on, have none. */
  readonly hashed: boolean;
  readonly files: readonly CheckedFile[];
}

/**
 * Compares a run's files with the hashes that it was finished with; of a run without these, reads record and checkpoint.
 *
 * @throws UserError when the folder holds no run, or its hashes cannot be read.
 */
export function verifyRun(folder: string): VerifiedRun {
  if (!existsSync(join(folder, runManifestFile))) return { hashed: false, files: readFiles(folder) };
  return { hashed: true, files: readManifest(folder).files.map((file) => checkFile(folder, file)) };
}

/** Compares a file of a folder with what was written. */
export function checkFile(
  folder: string,
  { path, bytes, sha256 }: { readonly path: string; readonly bytes: number; readonly sha256: string },
): CheckedFile {
  const file = join(folder, path);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return { path, state: "missing" };
  return { path, state: size === bytes && sha256OfFile(file) === sha256 ? "whole" : "damaged" };
}

/** A checkpoint has a checksum of itself, and a record those of the files that were exported. */
function readFiles(folder: string): readonly CheckedFile[] {
  const { exports } = readRecord(folder);
  readLastCheckpoint(folder, {
    warn: (message) => {
      throw new UserError(message);
    },
  });
  const read = [recordFile, relative(folder, runFiles(folder).checkpoint)].map(
    (path) => ({ path, state: "readable" }) as const,
  );
  const written = exports.map(({ file: path, sha256 }): CheckedFile => {
    const file = join(folder, path);
    if (!existsSync(file)) return { path, state: "missing" };
    return { path, state: sha256OfFile(file) === sha256 ? "whole" : "damaged" };
  });
  return [...read, ...written];
}

function readManifest(folder: string): z.infer<typeof manifestSchema> {
  const path = join(folder, runManifestFile);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new UserError(`cannot read ${path}: it does not have the hashes of a run's files (${messageOf(error)})`, {
      cause: error,
    });
  }
}
