import type { RunConfig } from "../../config/schema.ts";
import { UserError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { BitWidth } from "../../quantization/levels.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../quantizers/insert-quantizers.ts";
import { setBits } from "../../quantizers/level-gates.ts";
import { type Budget, budgetOf } from "../budget.ts";
import { type Method, noPrior } from "../method.ts";

type Config = Extract<RunConfig["method"], { name: "sensitivity" }>;
type Quantizers = ReadonlyMap<NodeId, Quantizer>;

/** No channel is pruned and no level gate learns: what stands here is never looked at. */
const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };

/** Mixed precision by measured sensitivity: the baseline of the paper's section on post-training quantization. */
export function sensitivity({
  low,
  high,
  target,
  trainWeights,
  batchNorm,
  quantizeAddends,
  weightRanges,
}: Config): Method {
  const statistics = trainWeights ? batchNorm : "running";
  return {
    prepare: (network) => insertQuantizers(network, { statistics, quantizeAddends }),
    quantizers: (network) =>
      createQuantizers(network, { pruning: false, initial, prior: "const", weightRanges, bitsOf: () => high }),
    choose: ({ network, quantizers, measure }) =>
      lowerLeastSensitive(quantizers, { low, high, budget: budgetOf(network, target), measure }),
    prior: noPrior,
    trainsWeights: trainWeights,
  };
}

/**
 * Lowers quantizers until the budget is met, those first whose lowering alone raises the loss least. Their bit-widths
 * are set in place.
 *
 * @param measure The loss with the quantizers as they stand.
 * @returns The loss that each quantizer alone at `low` bits gives, the least sensitive first.
 * @throws UserError when even all of them at `low` bits are above the budget.
 */
export async function lowerLeastSensitive(
  quantizers: Quantizers,
  {
    low,
    high,
    budget,
    measure,
  }: {
    readonly low: BitWidth;
    readonly high: BitWidth;
    readonly budget: Pick<Budget, "limit" | "cost">;
    readonly measure: () => number | Promise<number>;
  },
): Promise<readonly (readonly [NodeId, number])[]> {
  for (const quantizer of quantizers.values()) setBits(quantizer, low);
  const least = budget.cost(quantizers);
  if (least > budget.limit) {
    throw new UserError(
      `cannot meet the budget: all tensors at ${low} bits cost ${least}, method.target is ${budget.limit}; raise it or set method.low lower`,
    );
  }
  for (const quantizer of quantizers.values()) setBits(quantizer, high);
  const losses: (readonly [NodeId, number])[] = [];
  for (const [id, quantizer] of quantizers) {
    setBits(quantizer, low);
    losses.push([id, await measure()]);
    setBits(quantizer, high);
  }
  losses.sort(([, one], [, other]) => one - other);
  for (const [id] of losses) {
    if (budget.cost(quantizers) <= budget.limit) break;
    setBits(lookup(quantizers, id), low);
  }
  return losses;
}
