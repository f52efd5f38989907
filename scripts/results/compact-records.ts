import { readFileSync } from "node:fs";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";

/** A record's text without the indentation that the program writes, a quarter of it: what is committed stays for ever. */
export const compactRecord = (text: string): string => `${JSON.stringify(JSON.parse(text))}\n`;

/** Rewrites those records that have indentation. */
export function compactRecords(paths: readonly string[]): void {
  for (const path of paths) {
    const before = readFileSync(path, "utf8");
    const after = compactRecord(before);
    if (after !== before) writeFileAtomically(path, after);
  }
}
