import { largestIndex } from "./largest-index.ts";

/** The class of the largest logit, the first of equal ones, and two probabilities by softmax. */
export function classify(logits: Float32Array, truth: number) {
  const predicted = largestIndex(logits, 0, logits.length);
  const largest = logits[predicted]!;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return { predicted, confidence: 1 / sum, truthProbability: Math.exp(logits[truth]! - largest) / sum };
}
