import { joinGelu, type ScalarOf, type Written } from "./decomposed-gelu.ts";
import { joinLayerNorm } from "./decomposed-layer-norm.ts";

/** What exporters write out, as one node each: GELU and layer normalization; and guards of a softmax, as nothing. */
export const joinPatterns = <N extends Written>(
  nodes: readonly N[],
  scalarOf: ScalarOf,
  outputs: readonly string[],
): readonly N[] => withoutGuards(joinLayerNorm(joinGelu(nodes, scalarOf), scalarOf, outputs));

/** x instead of 0 where it is no number, as PyTorch puts it behind an attention's softmax: a row that a mask hides altogether. */
function withoutGuards<N extends Written>(nodes: readonly N[]): readonly N[] {
  const makers = new Map(nodes.map((node) => [node.outputs[0] ?? "", node]));
  return nodes.map((node) => {
    const [condition = "", , x = ""] = node.inputs;
    const isGuard = node.operator === "Where" && makers.get(condition)?.operator === "IsNaN";
    return isGuard && makers.get(condition)?.inputs[0] === x ? { ...node, operator: "Identity", inputs: [x] } : node;
  });
}
