import { readFileSync, statSync } from "node:fs";

/**
 * Reads a file whole. What it is is looked at before it is opened: a pipe waits for a writer, and a device may have no
 * end.
 *
 * @throws the system's error with its code, or an Error that says that it is not a file.
 */
export function readWholeFile(path: string): Buffer {
  const found = statSync(path);
  // A folder is the system's to refuse, by its own code.
  if (!found.isFile() && !found.isDirectory()) throw new Error("it is not a file");
  return readFileSync(path);
}
