import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { byFrequency } from "./words.ts";

/** Where a word begins: a sub-word that goes on a word has none. */
const START = "\u2581";

/** A word as what merges begin with: its signs, the first with its mark. */
const signsOf = (word: string): string[] => [...word].map((sign, place) => (place === 0 ? START + sign : sign));

const pairOf = (left: string, right: string): string => `${left} ${right}`;

/** The pairs of neighbours in a word. */
const pairsOf = (parts: readonly string[]): readonly string[] =>
  parts.slice(1).map((right, index) => pairOf(at(parts, index), right));

/** Sub-words, and the pairs that are joined to them, in order. */
export interface Subwords {
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
}

interface Entry {
  parts: string[];
  readonly count: number;
}

/**
 * Byte-pair encoding (Sennrich et al. 2016) of signs: the most frequent pair of neighbours in a word is joined, again and
 * again; of equals that with the lower signs.
 *
 * @param words With their counts.
 * @param size Of the vocabulary; single signs come first, the most frequent of them.
 */
export function learnSubwords(words: ReadonlyMap<string, number>, size: number): Subwords {
  const entries: Entry[] = Array.from(words, ([word, count]) => ({ parts: signsOf(word), count }));
  const signs = new Map<string, number>();
  for (const { parts, count } of entries) for (const sign of parts) signs.set(sign, (signs.get(sign) ?? 0) + count);
  const tokens = [...signs]
    .sort(byFrequency)
    .map(([sign]) => sign)
    .slice(0, size);
  const pairs = new PairCounts(entries);
  const merges: string[] = [];
  while (tokens.length < size) {
    const pair = pairs.takeBest();
    if (pair === null) break;
    merges.push(pair);
    const joined = pair.replace(" ", "");
    if (!tokens.includes(joined)) tokens.push(joined);
  }
  return { tokens, merges };
}

/** How often each pair of neighbours stands in words, and in which. */
class PairCounts {
  readonly #entries: readonly Entry[];
  readonly #counts = new Map<string, number>();
  readonly #places = new Map<string, Set<number>>();

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    for (const index of entries.keys()) this.#count(index, 1);
  }

  /** Joins the most frequent pair wherever it stands; null where none stands twice. */
  takeBest(): string | null {
    let best: readonly [string, number] = ["", 1];
    for (const entry of this.#counts) if (entry[1] > 1 && byFrequency(entry, best) < 0) best = entry;
    const [pair, count] = best;
    if (count < 2) return null;
    for (const index of [...lookup(this.#places, pair)]) {
      this.#count(index, -1);
      const entry = at(this.#entries, index);
      entry.parts = joinPair(entry.parts, pair);
      this.#count(index, 1);
    }
    return pair;
  }

  /** Adds the pairs of a word, or takes them off. */
  #count(index: number, sign: 1 | -1): void {
    const { parts, count } = at(this.#entries, index);
    for (const pair of pairsOf(parts)) {
      const left = (this.#counts.get(pair) ?? 0) + sign * count;
      const places = this.#places.get(pair) ?? new Set();
      if (sign === 1) places.add(index);
      else places.delete(index);
      this.#places.set(pair, places);
      if (left > 0) this.#counts.set(pair, left);
      else this.#counts.delete(pair);
    }
  }
}

function joinPair(parts: readonly string[], pair: string): string[] {
  const joined: string[] = [];
  for (const part of parts) {
    const before = joined.at(-1);
    if (before !== undefined && pairOf(before, part) === pair) joined[joined.length - 1] = before + part;
    else joined.push(part);
  }
  return joined;
}

/** Splits words into sub-words, each word once. */
export class SubwordSplitter {
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #known = new Map<string, readonly string[]>();

  constructor(merges: readonly string[]) {
    this.#ranks = new Map(merges.map((pair, rank) => [pair, rank]));
  }

  split(word: string): readonly string[] {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    let parts: string[] = signsOf(word);
    for (;;) {
      let first: { readonly pair: string; readonly rank: number } | null = null;
      for (const pair of pairsOf(parts)) {
        const rank = this.#ranks.get(pair);
        if (rank !== undefined && (first === null || rank < first.rank)) first = { pair, rank };
      }
      if (first === null) break;
      parts = joinPair(parts, first.pair);
    }
    this.#known.set(word, parts);
    return parts;
  }
}
