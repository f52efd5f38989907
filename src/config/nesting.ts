/** Settings lie a few levels deep; the parser of YAML goes down one call for each, and runs out of stack. */
const MOST_LEVELS = 100;

/** Whether text nests lists and mappings more deeply than any settings do, or seems to: in quotes, brackets are text. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === "[" || bracket === "{" ? depth + 1 : Math.max(0, depth - 1);
    if (depth > MOST_LEVELS) return true;
  }
  // Lists in lists, on one line.
  return /^[ \t]*(?:[-?:][ \t]+){100}/m.test(text);
}
