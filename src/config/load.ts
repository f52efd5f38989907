import { basename, extname } from "node:path";
import type { z } from "zod";
import { UsageError } from "../base/errors.ts";
import { shorten, shortenList } from "../base/shorten.ts";
import { configSchema, type RunConfig } from "./schema.ts";
import { isTree, merge, type Places, parseSetting, readSource, type Tree } from "./source.ts";

/**
 * Loads a configuration: the file, what it extends, then each `--set`.
 *
 * @throws UsageError that lists everything that is wrong at once, each with path, value, file and line.
 */
export function loadConfig(
  path: string,
  { set = [] }: { set?: readonly string[] } = {},
): { readonly config: RunConfig } {
  const { tree, places } = set.map(parseSetting).reduce(merge, readSource(path));
  const named = { name: basename(path, extname(path)), ...tree };
  const parsed = configSchema.safeParse(withOptimizers(named));
  if (parsed.success) return { config: parsed.data };
  const lines = [...new Set(parsed.error.issues.flatMap((issue) => explain(issue, named, places, path)))];
  const list = shortenList(lines)
    .map((line) => `  ${line}`)
    .join("\n");
  throw new UsageError(`the configuration is wrong:\n${list}`);
}

/** The discriminator of a parameter group may be left out: it is Adam then. */
function withOptimizers(tree: Tree): Tree {
  const { training } = tree;
  if (!isTree(training)) return tree;
  const groups = Object.fromEntries(
    ["weights", "gates", "ranges"].flatMap((name) => {
      const group = training[name] ?? {};
      return isTree(group) && group.optimizer === undefined ? [[name, { optimizer: "adam", ...group }]] : [];
    }),
  );
  return { ...tree, training: { ...training, ...groups } };
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, tree: Tree, places: Places, file: string): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const full = [...path, key].join(".");
      const known = knownKeys(issue).join(", ");
      return `${shorten(full)}: is not a setting; known here: ${known} (${shorten(placeOf(full, places, file))})`;
    });
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const nested = issue.errors.toSorted((a, b) => b[0]!.path.length - a[0]!.path.length)[0]!;
    return nested.flatMap((inner) =>
      explain({ ...inner, path: [...issue.path, ...inner.path] } as Issue, tree, places, file),
    );
  }
  const name = path.join(".");
  const value = path.reduce<unknown>(
    (node, key) => (isTree(node) || Array.isArray(node) ? (node as Tree)[key] : undefined),
    tree,
  );
  const got = value === undefined ? "nothing" : shorten(JSON.stringify(value));
  return [`${shorten(name)}: ${expectation(issue)}, got ${got} (${shorten(placeOf(name, places, file))})`];
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected === "int" ? "an integer" : `a ${issue.expected}`}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "invalid_union":
      return `expected ${[...issue.message.matchAll(/'([a-z-]+)'/g)]
        .map(([, option]) => `"${option}"`)
        .filter((option) => option !== '"undefined"')
        .join(" or ")}`;
    case "too_small":
      return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    default:
      return issue.message.startsWith("expected") ? issue.message : `expected ${issue.message}`;
  }
}

/** The place of a path, or of the nearest part of it that was written. */
function placeOf(path: string, places: Places, file: string): string {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) {
    const place = places.get(part);
    if (place !== undefined) return place;
  }
  return file;
}

/** The settings that stand where an unknown one was found. */
function knownKeys({ path }: Issue): string[] {
  let schema: unknown = configSchema;
  for (const key of path) schema = shapeOf(schema)?.[String(key)];
  return Object.keys(shapeOf(schema) ?? {});
}

/** The fields of a schema below its defaults and unions. */
function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const { def } = schema as { def?: { shape?: Record<string, unknown>; innerType?: unknown; options?: unknown[] } };
  if (def?.shape) return def.shape;
  if (def?.innerType) return shapeOf(def.innerType);
  if (def?.options) return Object.assign({}, ...def.options.map(shapeOf)) as Record<string, unknown>;
  return undefined;
}
