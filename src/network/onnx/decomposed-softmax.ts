import type { Written } from "./decomposed-gelu.ts";

/** The operator that a softmax with its guard becomes: [shares, scores, what stands in place of no number]. */
export const guardedSoftmax = "GuardedSoftmax";

/**
 * A number instead of what is none, as PyTorch puts it behind the softmax of an attention: where a mask of -∞ hides a row
 * altogether. The softmax stays where others read it.
 */
export function joinSoftmax<N extends Written>(nodes: readonly N[]): readonly N[] {
  const makers = new Map(nodes.map((node) => [node.outputs[0] ?? "", node]));
  return nodes.map((node) => {
    const [condition = "", filling = "", shares = ""] = node.inputs;
    const [guarded, softmax] = [makers.get(condition), makers.get(shares)];
    const isGuard = node.operator === "Where" && guarded?.operator === "IsNaN" && guarded.inputs[0] === shares;
    if (!isGuard || softmax?.operator !== "Softmax") return node;
    const inputs = [shares, softmax.inputs[0] ?? "", filling];
    return { ...node, operator: guardedSoftmax, inputs, attributes: softmax.attributes };
  });
}
