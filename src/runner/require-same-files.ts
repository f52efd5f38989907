import { changedFile } from "../core/changed-file.ts";
import { UserError } from "../core/errors.ts";
import { shortenList } from "../core/shorten.ts";
import type { DataFile } from "../data/dataset.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import { readImages } from "../runs/image-log.ts";
import type { Prepared } from "./prepare.ts";

/**
 * Compares the files of network, teacher and data with those that a run was begun with. Where every image is a file, the images
 * that the run has used are compared as they are read from here on.
 *
 * @param folder The run's.
 * @throws UserError that names the file that is no longer the same.
 */
export function requireSameFiles(
  { networkFile, dataset, teaching }: Pick<Prepared, "networkFile" | "dataset" | "teaching">,
  folder: string,
  { record: { network, data, teacher }, imageLog }: Pick<Checkpoint, "record" | "imageLog">,
): void {
  requireSame("network", network.file, networkFile);
  requireSame("teacher", teacher ?? null, teaching?.file ?? null);
  const used = imageLog && readImages(folder, imageLog);
  if (used) dataset.images?.expect(used);
  const unused = () => (used && dataset.images?.notAmong(used)) ?? [];
  const count = Math.max(data.files.length, dataset.files.length);
  for (let index = 0; index < count; index++)
    requireSame("data", data.files[index] ?? null, dataset.files[index] ?? null, unused);
}

/** @param unusedImages Those of which the run has used none yet: where a list of images has changed, one may be new. */
function requireSame(
  what: "network" | "data" | "teacher",
  before: DataFile | null,
  now: DataFile | null,
  unusedImages: () => readonly string[] = () => [],
): void {
  const file = before ?? now;
  if (file === null || before?.sha256 === now?.sha256) return;
  const hashOf = (file: DataFile | null) => (file ? `SHA-256 ${file.sha256}` : "none");
  const error = changedFile(what, file.name, { before: hashOf(before), now: hashOf(now) });
  const unused = unusedImages();
  if (unused.length === 0) throw error;
  const list = shortenList(unused.map((name) => `  ${name}`)).join("\n");
  throw new UserError(`${error.message}\nimages here that the run has not used yet:\n${list}`);
}
