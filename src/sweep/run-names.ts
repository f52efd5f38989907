import { isTree } from "../config/source.ts";
import type { Assignment } from "./assignments.ts";

/** Bytes: long enough to read, short enough for a table and, with what files add, for every file system. */
const LONGEST = 80;

/**
 * A name for each run that says how it differs, as `strength-0.1_seed-2`: letters, digits, `.`, `_`, `-` and spaces,
 * a letter or digit first, and no two the same, in capitals or not. An entry of the list may bring its own.
 */
export function namedRuns(
  assignments: readonly Assignment[],
): readonly { readonly name: string; readonly settings: Assignment }[] {
  const labels = labelsOf([...new Set(assignments.flatMap((settings) => settings.map(({ path }) => path)))]);
  const taken = new Set<string>();
  return assignments.map((settings) => {
    const given = settings.find(({ path }) => path === "name")?.value;
    const parts = settings
      .filter(({ path }) => path !== "note")
      .map(({ path, value }) => partOf(labels.get(path) ?? path, value));
    const name = unique(nameFrom(given === undefined ? parts.join("_") : String(given)), taken);
    taken.add(identityOf(name));
    return { name, settings };
  });
}

/** What two names must not have in common: file systems differ in what they tell apart. */
export const identityOf = (name: string): string => name.normalize("NFKC").toLowerCase();

/** The last parts of each path: as many as tell it from all others. */
function labelsOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const ending = (path: string, parts: number) => path.split(".").slice(-parts).join(".");
  return new Map(
    paths.map((path) => {
      let parts = 1;
      while (paths.some((other) => other !== path && ending(other, parts) === ending(path, parts))) parts++;
      return [path, ending(path, parts)];
    }),
  );
}

/** `seed-2`; of settings with a name of their own, as a method, what they hold: `fixed-8-8`. */
function partOf(label: string, value: unknown): string {
  const text = leavesOf(value).join("-");
  return isTree(value) && typeof value.name === "string" ? text : `${label}-${text}`;
}

function leavesOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.values(value).flatMap(leavesOf);
}

/** Only what a name may have; a run without a difference is the base. */
function nameFrom(text: string): string {
  const clean = text
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[^\p{L}\p{N}]+/u, "");
  let name = "";
  for (const character of clean) {
    if (Buffer.byteLength(name + character) > LONGEST) break;
    name += character;
  }
  return name.replace(/[._-]+$/u, "") || "base";
}

function unique(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const tried = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(identityOf(tried))) return tried;
  }
}
