import { guardedSoftmax } from "./decomposed-softmax.ts";

/**
 * Operators that a softmax's masks pass through, each number by itself, added to others or scaled: by so much that what is hidden
 * stays far below all others.
 */
const passing: ReadonlySet<string> = new Set(
  "Add Cast CastLike Concat Div Dropout Expand Flatten Gather Identity Mul Reshape Slice Squeeze Sub Sum Transpose Unsqueeze".split(
    " ",
  ),
);

/** The values that a softmax alone takes, as scores or as a part of them. */
export function scoresOf(
  nodes: readonly {
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[],
  outputs: readonly string[],
): ReadonlySet<string> {
  const scores = new Set<string>();
  const others = new Set(outputs);
  for (const { operator, inputs, outputs: made } of nodes.toReversed()) {
    const isScore = made.every((name) => scores.has(name) && !others.has(name));
    const isSoftmax = operator === "Softmax" || operator === guardedSoftmax;
    const taking = isSoftmax || (passing.has(operator) && isScore) ? scores : others;
    for (const name of inputs) taking.add(name);
  }
  return new Set([...scores].filter((name) => !others.has(name)));
}

/** exp of what is so far below all others is 0 in float32. */
export const HIDDEN = 1e9;

/** Numbers of which a softmax makes the same, and which are small enough to compute with. */
export const asScores = (values: Float32Array): Float32Array =>
  values.map((value) => Math.max(-HIDDEN, Math.min(HIDDEN, value)));
