import { checkFile, type VerifiedRun } from "../runs/run-manifest.ts";
import { quantizedRecordsIn, readQuantizedRecord } from "./read-quantized-record.ts";

/**
 * Compares the files of a folder of quantized files with the hashes in its records, which can be read themselves.
 *
 * @returns null where the folder holds none.
 * @throws UserError when a record cannot be read.
 */
export function verifyQuantized(folder: string): VerifiedRun | null {
  const names = quantizedRecordsIn(folder);
  if (names.length === 0) return null;
  const records = names.map((name) => ({ name, files: readQuantizedRecord(folder, name).files }));
  return {
    hashed: records.every(({ files }) => files.length > 0),
    files: records.flatMap(({ name, files }) => [
      { path: name, state: "readable" as const },
      ...files.map((file) => checkFile(folder, file)),
    ]),
  };
}
