import type { z } from "zod";
import { first } from "../core/elements.ts";
import { shorten } from "../core/shorten.ts";
import { isTree, type Places, type Source, type Tree } from "./source.ts";

/** Settings that a schema has found fault with. */
export interface Checked extends Source {
  readonly schema: unknown;
  /** Where they come from, where no nearer place is known. */
  readonly file: string;
}

/** Everything that is wrong, a line each: path, what is expected, value, file and line. */
export const explainIssues = ({ issues }: z.ZodError, checked: Checked): readonly string[] => [
  ...new Set(issues.flatMap((issue) => explain(issue, checked))),
];

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, checked: Checked): string[] {
  const { tree, places, file } = checked;
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const unknown = new Set(issue.keys);
    const known = knownKeys(issue, checked).filter((key) => !unknown.has(key));
    return issue.keys.map((key) => {
      const full = [...path, key].join(".");
      return `${shorten(full)}: is not a setting; known here: ${known.join(", ")} (${shorten(placeOf(full, places, file))})`;
    });
  }
  // Where no alternative fits at all, all of them are named; else the one that fits furthest tells what is wrong.
  const fitting =
    issue.code === "invalid_union" &&
    issue.errors.some(([first]) => first!.path.length > 0 || first!.code === "unrecognized_keys");
  if (issue.code === "invalid_union" && fitting) {
    const nested = first(
      issue.errors.toSorted((a, b) => first(b).path.length - first(a).path.length || a.length - b.length),
    );
    // Its kind stays, whatever its path.
    return nested.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] } as Issue, checked));
  }
  const name = path.join(".");
  const value = path.reduce<unknown>((node, key) => childOf(node, key), tree);
  const got = value === undefined ? "nothing" : shorten(textOf(value));
  const expected = isInfinite(value) ? "expected a finite number" : expectation(issue);
  return [`${shorten(name)}: ${expected}, got ${got} (${shorten(placeOf(name, places, file))})`];
}

const isInfinite = (value: unknown): boolean => typeof value === "number" && !Number.isFinite(value);

/** A value as JSON; numbers that JSON does not have, as .inf and 1e400 are, by their names. */
const textOf = (value: unknown): string =>
  isInfinite(value)
    ? String(value)
    : JSON.stringify(value, (_, inner: unknown) => (isInfinite(inner) ? String(inner) : inner));

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${kinds[issue.expected] ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "invalid_union": {
      const alternatives =
        issue.errors.length > 0
          ? issue.errors.map(([first]) => expectation(first!).replace("expected ", ""))
          : [...issue.message.matchAll(/'([a-z0-9-]+)'/g)]
              .map(([, option]) => `"${option}"`)
              .filter((option) => option !== '"undefined"');
      return `expected ${[...new Set(alternatives)].join(" or ")}`;
    }
    case "too_small":
      if (issue.origin === "array") return `expected ${issue.minimum} values`;
      return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "array") return `expected ${issue.maximum} values`;
      return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_key":
      return `expected ${first(issue.issues).message}`;
    default:
      return issue.message.startsWith("expected") ? issue.message : `expected ${issue.message}`;
  }
}

const kinds: Readonly<Record<string, string>> = {
  int: "an integer",
  array: "a list",
  tuple: "a list",
  object: "settings",
  boolean: "true or false",
};

/** The place of a path, or of the nearest part of it that was written. */
function placeOf(path: string, places: Places, file: string): string {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) {
    const place = places.get(part);
    if (place !== undefined) return place;
  }
  return file;
}

/** What stands under a key of a mapping or a list. */
const childOf = (node: unknown, key: PropertyKey): unknown =>
  // Lists have their items under their indices.
  isTree(node) || Array.isArray(node) ? (node as Tree)[String(key)] : undefined;

/** The settings that stand where an unknown one was found. */
function knownKeys({ path }: Issue, { tree, schema: root }: Checked): string[] {
  let schema = root;
  let value: unknown = tree;
  for (const key of path) {
    schema = shapeOf(schema, value)?.[String(key)];
    value = childOf(value, key);
  }
  return Object.keys(shapeOf(schema, value) ?? {});
}

interface Definition {
  readonly shape?: Record<string, unknown>;
  readonly innerType?: unknown;
  readonly options?: readonly unknown[];
  readonly values?: readonly unknown[];
}
// Zod keeps the definition of a schema there, whatever its kind.
const definitionOf = (schema: unknown) => (schema as { def?: Definition } | undefined)?.def;

/** The fields of a schema below its defaults and unions; of a union those of the options that the value has chosen. */
function shapeOf(schema: unknown, value: unknown): Record<string, unknown> | undefined {
  const { shape, innerType, options } = definitionOf(schema) ?? {};
  if (shape) return shape;
  if (innerType) return shapeOf(innerType, value);
  if (!options) return undefined;
  const chosen = options.filter((option) => isChosen(option, value));
  const shapes = (chosen.length > 0 ? chosen : options).map((option) => shapeOf(option, value));
  return Object.fromEntries(shapes.flatMap((shape) => Object.entries(shape ?? {})));
}

/** Whether the value has the literals that an option asks for, as its method's name. */
function isChosen(option: unknown, value: unknown): boolean {
  const fields = Object.entries(definitionOf(option)?.shape ?? {});
  return fields.every(([key, field]) => {
    const literals = literalsOf(field);
    return literals.length === 0 || (isTree(value) && literals.includes(value[key]));
  });
}

/** The values of a literal below its defaults. */
function literalsOf(schema: unknown): readonly unknown[] {
  const { values, innerType } = definitionOf(schema) ?? {};
  return values ?? (innerType ? literalsOf(innerType) : []);
}
