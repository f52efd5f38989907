import { UsageError } from "../../core/errors.ts";
import { channelsOf, elementsOf } from "../../graph/shape.ts";
import type { Network } from "../../kinds/index.ts";
import { layersOf } from "../../network/layers.ts";
import { productsOf } from "../../network/products.ts";
import type { WeightMatrix } from "../../quantization/weight-grid.ts";
import { type Metric, mainMetric, type TaskDescription } from "../../tasks/metric.ts";
import type { WidthSearch } from "../method.ts";
import { lowestCost } from "./budget-walk.ts";
import { costModel } from "./cost-model.ts";
import { createSpace } from "./create-space.ts";
import { decisionsOf, placesOf } from "./search-space.ts";

/**
 * Refuses a search, before anything is trained, that cannot come to anything.
 *
 * @param network With quantizers.
 * @throws UsageError where it multiplies activations, no policy meets the budget, no layer has as many output channels as groups are asked for, or the
 * task's main metric has no logarithm to gain from.
 */
export function requireSearchable(search: WidthSearch, network: Network, task: TaskDescription): void {
  const { level, groups, objective, target } = search;
  const [product] = productsOf(network);
  if (product !== undefined) {
    throw new UsageError(
      `method.name: autoq decides the bits of what layers read, and ${product.name} of ${network.name} multiplies activations that none reads: take bayesian-bits, or another method`,
    );
  }
  const most = Math.max(...layersOf(network).map(({ weightShape }) => channelsOf(weightShape)));
  if (level === "kernel" && groups != null && groups > most) {
    throw new UsageError(
      `method.groups: expected at most ${most}, the output channels of the largest layer of ${network.name}, got ${groups}; null decides each channel alone`,
    );
  }
  if (objective.name === "accuracy-guaranteed") requireGain(mainMetric(task));
  else {
    const space = createSpace(network, blankWeights(network), search);
    const places = placesOf(space);
    const { cost, limit } = costModel(space, target);
    const least = lowestCost({ places, cost: (widths) => cost(decisionsOf(space, places, widths)) });
    if (least > limit) {
      const [unit] = Object.keys(target);
      throw new UsageError(
        `method.target.${unit}: expected at least ${Number(least.toPrecision(4))}, what ${network.name} costs with the lowest bit-widths everywhere, got ${limit}`,
      );
    }
  }
}

function requireGain({ better, label }: Metric): void {
  if (better === "higher") return;
  throw new UsageError(
    `method.objective: expected constrained: guaranteed takes the logarithm of what is better the higher, and ${label} is better the lower`,
  );
}

/** What is looked at here does not depend on the weights. */
const blankWeights = (network: Network): ReadonlyMap<string, WeightMatrix> =>
  new Map(
    layersOf(network).map(({ name, weightShape }) => {
      const elements = elementsOf(weightShape);
      const outputs = channelsOf(weightShape);
      return [name, { values: new Float32Array(elements), outputs, inputs: elements / outputs }];
    }),
  );
