import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, type YAMLError } from "yaml";
import { first } from "../core/elements.ts";
import { messageOf, UsageError } from "../core/errors.ts";
import { shorten, shortenList } from "../core/shorten.ts";
import { isNestedTooDeeply } from "./nesting.ts";
import { parseYaml } from "./parse-yaml.ts";

/** Of a configuration with all that it extends, each file counted once: of mistakes alone, this takes seconds and 500 MB. */
const MAX_BYTES = 256 * 1024;
/** Files that extend one another in a row. */
const MOST_IN_A_ROW = 50;
/** Names that would reach into JavaScript's objects. */
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

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
const alternatives = [
  { section: "network", keys: ["name", "file"] },
  { section: "bits", keys: ["weights", "budget"] },
] as const;

function withoutReplaced(tree: Tree, over: Tree): Tree {
  const kept = { ...tree };
  for (const { section, keys } of alternatives) {
    const [before, after] = [kept[section], over[section]];
    if (!isTree(before) || !isTree(after) || !keys.some((key) => key in after)) continue;
    kept[section] = Object.fromEntries(Object.entries(before).filter(([key]) => !keys.some((one) => one === key)));
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
 * @throws UsageError with file and line: unreadable, not YAML, not a mapping, a cycle of `extends`, too many or too large.
 */
export const readSource = (path: string): Source => new SourceReader().read(path, []);

/** Reads each file once, however many others extend it. */
class SourceReader {
  readonly #read = new Map<string, Source>();
  #bytes = 0;

  /** @param chain Real paths of the files that extend this one. */
  read(path: string, chain: readonly string[]): Source {
    const real = realPath(path);
    if (chain.includes(real)) {
      const round = [...chain.slice(chain.indexOf(real)), real];
      throw new UsageError(`${shorten(path)}: extends itself: ${shortenList(round, 5).join(" → ")}`);
    }
    if (chain.length >= MOST_IN_A_ROW) {
      throw new UsageError(`${shorten(path)}: more than ${MOST_IN_A_ROW} files that extend one another in a row`);
    }
    const known = this.#read.get(real);
    if (known !== undefined) return known;
    const source = this.#withBases(parseSource(this.#text(path), path), path, [...chain, real]);
    this.#read.set(real, source);
    return source;
  }

  #withBases({ tree: own, places }: Source, path: string, chain: readonly string[]): Source {
    const { extends: bases, ...tree } = own;
    if (bases === undefined) return { tree, places };
    const place = places.get("extends") ?? path;
    let merged: Source = { tree: {}, places: new Map() };
    for (const base of Array.isArray(bases) ? bases : [bases]) {
      if (typeof base !== "string")
        throw new UsageError(`extends: expected a file name or a list of them, got ${JSON.stringify(base)} (${place})`);
      const file = isAbsolute(base) ? base : join(dirname(path), base);
      merged = merge(merged, this.read(file, chain));
    }
    return merge(merged, { tree, places });
  }

  #text(path: string): string {
    try {
      const found = statSync(path);
      // Before opening: a pipe waits for a writer, and a device may have no end.
      if (!found.isFile()) throw new Error("it is not a file");
      this.#bytes += found.size;
      if (this.#bytes > MAX_BYTES) throw new Error(`with what it extends, it is larger than ${MAX_BYTES} bytes`);
      return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
    } catch (error) {
      throw new UsageError(`cannot read the configuration ${shorten(path)}: ${shorten(messageOf(error))}`, {
        cause: error,
      });
    }
  }
}

/** The file that a path leads to through symbolic links; the path where it leads nowhere, which reading tells. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Parses text; places of errors carry the file's name. */
export function parseSource(text: string, path: string): Source {
  if (isNestedTooDeeply(text)) throw new UsageError(`cannot read the configuration ${path}: it is nested too deeply`);
  const lines = new LineCounter();
  const document = parseYaml(text, lines);
  const at = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const messages = document.errors.map((error) => `${explainSyntax(error)} (${at(error.pos[0])})`);
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
  // A mapping at the top, as was checked, is such an object.
  return { tree: tree as Tree, places: locate(document.contents, at) };
}

/** What the parser says, in this program's words where its own advise a programmer. */
function explainSyntax({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "a second document begins: one file is one configuration, without ---";
  return shorten(first(message.split("\n")));
}

/**
 * The places of all keys and list items, by their dotted paths.
 *
 * @throws UsageError at a key that stands twice in one mapping, or is none of a setting.
 */
function locate(contents: Node | null, at: (offset: number) => string): Places {
  const places: Places = new Map();
  const visit = (node: Node | null, prefix: string): void => {
    const child = (name: string, offset: number, value: Node | null) => {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      places.set(path, at(offset));
      visit(value, path);
    };
    if (isMap(node)) {
      const keys = new Set<string>();
      for (const { key, value } of node.items) {
        if (!isScalar(key)) continue;
        const [name, offset] = [String(key.value), key.range?.[0] ?? 0];
        const refuse = (why: string) =>
          new UsageError(`${shorten(`${prefix}${prefix && "."}${name}`)}: ${why} (${at(offset)})`);
        if (forbidden.has(name)) throw refuse("is not a setting");
        if (keys.has(name)) throw refuse("is there twice");
        keys.add(name);
        // What the parser made of the text, which gives nodes alone.
        child(name, offset, value as Node | null);
      }
    } else if (isSeq(node)) {
      // As above.
      for (const [index, item] of (node.items as Node[]).entries()) child(String(index), item.range?.[0] ?? 0, item);
    }
  };
  visit(contents, "");
  return places;
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
  const over = nested(parts, value);
  return merge({ tree: without(tree, parts), places: new Map(kept) }, { tree: over, places: new Map(moved) });
}

/** A tree that has nothing but `value` at a path of at least one part. */
const nested = ([first = "", ...rest]: readonly string[], value: unknown): Tree => ({
  [first]: rest.length === 0 ? value : nested(rest, value),
});

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
  if (isNestedTooDeeply(setting) || path.length > MOST_IN_A_ROW)
    throw new UsageError(`${place}: it is nested too deeply`);
  const document = parseYaml(setting.slice(equals + 1));
  if (document.errors.length > 0) throw new UsageError(`${place}: ${explainSyntax(first(document.errors))}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new UsageError(`${place}: ${messageOf(error)}`, { cause: error });
  }
  locate(document.contents, () => place);
  const tree = nested(path, value);
  const places: Places = new Map(path.map((_, index) => [path.slice(0, index + 1).join("."), place]));
  return { tree, places };
}
