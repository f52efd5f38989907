import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of all files below `folder`, 0 when it is missing. Files that vanish while counting are left out. */
export function folderSize(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.reduce((sum, entry) => sum + (entry.isFile() ? sizeOf(join(entry.parentPath, entry.name)) : 0), 0);
  } catch {
    return 0;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
