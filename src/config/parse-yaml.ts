import { type Document, type LineCounter, parseDocument } from "yaml";

const options = {
  prettyErrors: false,
  // What the parser would warn of on its own (a list as a key, an unknown tag) is no setting, and refused as such.
  logLevel: "error",
  // Duplicates are found where places are: the parser compares every key with every other.
  uniqueKeys: false,
} as const;

/** Parses YAML, without the stack traces of its mistakes: where there is one in every line, they take the most time. */
export function parseYaml(text: string, lineCounter?: LineCounter): Document.Parsed {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, { ...options, ...(lineCounter && { lineCounter }) });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
