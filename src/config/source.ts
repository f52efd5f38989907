import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { first, last } from "../core/elements.ts";
import { messageOf, UsageError } from "../core/errors.ts";
import { shorten, shortenList } from "../core/shorten.ts";

const MAX_BYTES = 1024 * 1024;
/** Names that would reach into JavaScript's objects. */
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

/** What the parser would warn of on its own (a list as a key, an unknown tag) is no setting, and refused as such. */
const quiet = { prettyErrors: false, logLevel: "error" } as const;

export type Tree = { [key: string]: unknown };

/** Where each path of the configuration was written, as `configs/a.yaml:12`. */
export type Places = Map<string, string>;

export interface Source {
  readonly tree: Tree;
  readonly places: Places;
}

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Settings that exclude each other: a later one takes the place of the other. */
const alternatives = [{ section: "network", keys: ["name", "file"] }] as const;

function withoutReplaced(tree: Tree, over: Tree): Tree {
  const kept = { ...tree };
  for (const { section, keys } of alternatives) {
    const [before, after] = [kept[section], over[section]];
    if (!isTree(before) || !isTree(after) || !keys.some((key) => key in after)) continue;
    kept[section] = Object.fromEntries(
      Object.entries(before).filter(([key]) => !(keys as readonly string[]).includes(key)),
    );
  }
  return kept;
}

/** Later mappings win; lists and values replace. */
export function merge(base: Source, over: Source): Source {
  const mergeTrees = (a: Tree, b: Tree): Tree => {
    const merged: Tree = { ...a };
    for (const [key, value] of Object.entries(b)) {
      const before = merged[key];
      merged[key] = isTree(before) && isTree(value) ? mergeTrees(before, value) : value;
    }
    return merged;
  };
  return {
    tree: mergeTrees(withoutReplaced(base.tree, over.tree), over.tree),
    places: new Map([...base.places, ...over.places]),
  };
}

/**
 * Reads one YAML or JSON file and the files it extends (relative to itself; earlier ones first).
 *
 * @throws UsageError with file and line: unreadable, not YAML, not a mapping, a cycle of `extends`.
 */
export function readSource(path: string, chain: readonly string[] = []): Source {
  const absolute = resolve(path);
  if (chain.includes(absolute)) throw new UsageError(`${path}: extends itself: ${[...chain, absolute].join(" → ")}`);
  const own = parseSource(readText(path), path);
  const { extends: bases, ...tree } = own.tree;
  if (bases === undefined) return { tree, places: own.places };
  const list = Array.isArray(bases) ? bases : [bases];
  const place = own.places.get("extends") ?? path;
  let merged: Source = { tree: {}, places: new Map() };
  for (const base of list) {
    if (typeof base !== "string")
      throw new UsageError(`extends: expected a file name or a list of them, got ${JSON.stringify(base)} (${place})`);
    const file = isAbsolute(base) ? base : join(dirname(path), base);
    merged = merge(merged, readSource(file, [...chain, absolute]));
  }
  return merge(merged, { tree, places: own.places });
}

function readText(path: string): string {
  try {
    if (statSync(path).size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw new UsageError(`cannot read the configuration ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Parses text; places of errors carry the file's name. */
export function parseSource(text: string, path: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...quiet, lineCounter: lines, uniqueKeys: true });
  const at = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const messages = document.errors.map(
      ({ message, pos }) => `${shorten(first(message.split("\n")))} (${at(pos[0])})`,
    );
    throw new UsageError(`cannot read the configuration: ${shortenList(messages).join("\n")}`);
  }
  if (!isMap(document.contents))
    throw new UsageError(`cannot read the configuration ${path}: expected a mapping of settings at the top`);
  let tree: unknown;
  try {
    tree = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    throw new UsageError(`cannot read the configuration ${path}: ${messageOf(error)}`, { cause: error });
  }
  const places: Places = new Map();
  locate(document.contents, "", (key, offset) => {
    if (forbidden.has(last(key.split(".")))) throw new UsageError(`${key}: is not a setting (${at(offset)})`);
    places.set(key, at(offset));
  });
  return { tree: tree as Tree, places };
}

/** Calls `found` with the dotted path and offset of every key and list item. */
function locate(node: Node | null, prefix: string, found: (path: string, offset: number) => void): void {
  const child = (name: string, offset: number, value: Node | null) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    found(path, offset);
    locate(value, path, found);
  };
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (isScalar(key)) child(String(key.value), key.range?.[0] ?? 0, value as Node | null);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of (node.items as Node[]).entries()) child(String(index), item.range?.[0] ?? 0, item);
  }
}

/**
 * The settings with `value` at `path`, in place of all that stood there.
 *
 * @param written Where the value, and what it holds, was written, by what follows the value's own path.
 */
export function withSetting(
  { tree, places }: Source,
  { path, value, written }: { readonly path: string; readonly value: unknown; readonly written: Places },
): Source {
  const parts = path.split(".");
  const kept = [...places].filter(([place]) => place !== path && !place.startsWith(`${path}.`));
  const moved = [...written].map(([rest, where]) => [path + rest, where] as const);
  const over = parts.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Tree;
  return merge({ tree: without(tree, parts), places: new Map(kept) }, { tree: over, places: new Map(moved) });
}

function without(tree: Tree, [first, ...rest]: readonly string[]): Tree {
  if (first === undefined || !Object.hasOwn(tree, first)) return tree;
  const { [first]: found, ...others } = tree;
  if (rest.length === 0) return others;
  return isTree(found) ? { ...tree, [first]: without(found, rest) } : others;
}

/** One `--set path=value`; the value is YAML. */
export function parseSetting(setting: string): Source {
  const equals = setting.indexOf("=");
  const place = `--set ${shorten(setting)}`;
  const path = setting.slice(0, Math.max(0, equals)).split(".");
  if (equals < 1 || path.some((part) => part === "" || forbidden.has(part))) {
    throw new UsageError(`${place}: expected path=value, as training.epochs=3`);
  }
  const document = parseDocument(setting.slice(equals + 1), quiet);
  if (document.errors.length > 0)
    throw new UsageError(`${place}: ${shorten(first(first(document.errors).message.split("\n")))}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new UsageError(`${place}: ${messageOf(error)}`, { cause: error });
  }
  const tree = path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Tree;
  const places: Places = new Map(path.map((_, index) => [path.slice(0, index + 1).join("."), place]));
  return { tree, places };
}
