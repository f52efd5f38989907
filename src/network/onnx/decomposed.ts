import { joinGelu, type ScalarOf, type Written } from "./decomposed-gelu.ts";
import { type IntegersOf, joinLayerNorm } from "./decomposed-layer-norm.ts";
import { joinSoftmax } from "./decomposed-softmax.ts";

/** The numbers that names stand for. */
interface Constants {
  readonly scalarOf: ScalarOf;
  readonly integersOf: IntegersOf;
}

/** What exporters write out, as one node each: GELU, layer normalization, and a softmax with its guard. */
export const joinPatterns = <N extends Written>(nodes: readonly N[], constants: Constants): readonly N[] =>
  joinSoftmax(joinLayerNorm(joinGelu(nodes, constants.scalarOf), constants));
