/** Letters and digits together, with apostrophes between letters; every other sign by itself. */
const word = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*|[^\s\p{L}\p{M}\p{N}]/gu;

/** The words of a text, and its other signs, in order; composed as Unicode has them in one sign (NFC). */
export function wordsOf(text: string, { lowercase }: { readonly lowercase: boolean }): readonly string[] {
  const composed = text.normalize("NFC");
  return (lowercase ? composed.toLowerCase() : composed).match(word) ?? [];
}

/** How often each word stands in texts. */
export function countWords(texts: Iterable<readonly string[]>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const words of texts) for (const one of words) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

/** The most frequent first, of equals the one with the lower signs. */
export const byFrequency = (
  [one, ofOne]: readonly [string, number],
  [other, ofOther]: readonly [string, number],
): number => ofOther - ofOne || (one < other ? -1 : 1);
