import { type StepRule, weightGrids } from "../../quantization/scale-search.ts";
import { decode, nearestCodes, type WeightGrid } from "../../quantization/weight-grid.ts";
import { channelErrors, uploadRows } from "./layer-error.ts";
import type { LayerProblem, SolveLayer } from "./layer-problem.ts";
import { total } from "./layer-statistics.ts";

/** How the grids of a layer's weights are set, before any rounding. */
export interface GridOptions {
  readonly steps: StepRule;
  readonly perChannel: boolean;
}

/** The grids of a layer and the codes nearest to its weights on them. */
export function nearestStart({ weight, bits }: LayerProblem, { steps, perChannel }: GridOptions) {
  const grids = weightGrids(weight, { bits, rule: steps, perChannel });
  return { grids, codes: nearestCodes(weight, grids) };
}

export const stepsOf = (grids: readonly WeightGrid[]): Float32Array => Float32Array.from(grids, ({ step }) => step);

/** Rounding to nearest: the baseline of the post-training methods. */
export const nearest = (options: GridOptions): SolveLayer =>
  function* (problem, ops) {
    const { grids, codes } = nearestStart(problem, options);
    const steps = stepsOf(grids);
    const error = ops.scope(
      () => total(channelErrors(ops, problem, uploadRows(ops, problem), decode(codes, steps, problem.weight.inputs))),
      () => [],
    );
    yield 1;
    return { codes, steps, statistics: { nearestError: error, error, flipped: 0, settled: null, iterations: 0 } };
  };
