import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";

/** The tokens of a batch, each once: what a word comes to is computed once, however often it stands there. */
export interface DistinctTokens {
  /** Rising. */
  readonly tokens: Int32Array;
  /** How often each stands in the batch. */
  readonly counts: Float32Array;
  /** By place in the batch, its token's index among `tokens`. */
  readonly places: Int32Array;
}

export function distinctTokens(batch: ArrayLike<number>): DistinctTokens {
  const tokens = Int32Array.from(new Set(Array.from(batch))).sort();
  const indices = new Map(Array.from(tokens, (token, index) => [token, index]));
  const counts = new Float32Array(tokens.length);
  const places = Int32Array.from(batch, (token) => {
    const index = lookup(indices, token);
    counts[index] = at(counts, index) + 1;
    return index;
  });
  return { tokens, counts, places };
}
