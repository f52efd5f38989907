import { isNode, isScalar, LineCounter, parseDocument, stringify, visit } from "yaml";
import { chosenSettings } from "../../../config/chosen-settings.ts";
import type { RunConfig } from "../../../config/schema.ts";
import { type Markup, markup } from "../../page/markup.ts";

/** A configuration as YAML, its lines marked that have another value than the default. */
export function configListing(config: RunConfig): Markup {
  const text = stringify(config, { lineWidth: 0 });
  const marked = linesOf(text, new Set(chosenSettings(config).map((path) => JSON.stringify(path))));
  return markup`${text.split("\n").map((line, index, { length }) => {
    const [, indent = "", content = ""] = /^( *)(.*)$/.exec(line) ?? [];
    const end = index < length - 1 ? "\n" : "";
    return marked.has(index + 1) ? markup`${indent}<mark>${content}</mark>${end}` : `${line}${end}`;
  })}`;
}

/** The numbers of the lines, from 1, on which settings begin. */
function linesOf(text: string, paths: ReadonlySet<string>): ReadonlySet<number> {
  const lineCounter = new LineCounter();
  const lines = new Set<number>();
  visit(parseDocument(text, { lineCounter }), {
    Pair(_, { key }, ancestors) {
      const path = [...ancestors.flatMap((one) => ("key" in one ? [keyText(one.key)] : [])), keyText(key)];
      if (!paths.has(JSON.stringify(path)) || !isNode(key) || !key.range) return;
      lines.add(lineCounter.linePos(key.range[0]).line);
    },
  });
  return lines;
}

const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key);
