import { subset } from "../../core/random.ts";
import type { Stepwise } from "../../core/stepwise.ts";
import type { Ops } from "../../engine/ops.ts";
import { rectifiedSigmoid } from "../../quantization/rectified-sigmoid.ts";
import { type BetaSchedule, betaAt } from "../../quantization/rounding-regularizer.ts";
import { hardCodes, type RoundingChoice, roundingChoice } from "../../quantization/soft-rounding.ts";
import { decode, nearestCodes, type WeightGrid } from "../../quantization/weight-grid.ts";
import { flipCodes } from "./flip-codes.ts";
import { keepBetter } from "./keep-better.ts";
import { channelErrors, releaseRows, type UploadedRows, uploadRows } from "./layer-error.ts";
import type { LayerProblem, LayerSolution, SolveLayer } from "./layer-problem.ts";
import { share, total } from "./layer-statistics.ts";
import { type GridOptions, nearestStart, stepsOf } from "./nearest.ts";
import { type LearnerOptions, RoundingLearner } from "./rounding-learner.ts";

export interface AdaRoundOptions extends LearnerOptions {
  readonly beta: BetaSchedule;
  /** Keep, channel by channel, nearest rounding where the learned one is worse on the calibration rows. */
  readonly safeguard: boolean;
  /** Afterwards, flip single weights between floor and ceiling while that lowers the error. Not the authors'. */
  readonly flips: boolean;
  readonly seed: number;
}

/** The share of h(V) within this distance of 0 or 1 is reported: it should be about 1. */
const SETTLED = 1e-3;

/** AdaRound (Nagel et al. 2020): learns for each weight whether it is rounded down or up. */
export const adaround =
  ({ steps, perChannel, ...options }: AdaRoundOptions & GridOptions): SolveLayer =>
  (problem, ops) =>
    roundOn(nearestStart(problem, { steps, perChannel }).grids, problem, ops, options);

/** AdaRound on given grids, one for each output channel. */
export function* roundOn(
  grids: readonly WeightGrid[],
  problem: LayerProblem,
  ops: Ops,
  options: AdaRoundOptions,
): Stepwise<LayerSolution> {
  const { weight } = problem;
  const steps = stepsOf(grids);
  const uploaded = uploadRows(ops, problem);
  try {
    const measured = (codes: Int32Array) => ({
      codes,
      errors: channelErrors(ops, problem, uploaded, decode(codes, steps, weight.inputs)),
    });
    const nearest = measured(nearestCodes(weight, grids));
    const choice = roundingChoice(weight, grids);
    const v = yield* learn(ops, problem, uploaded, { choice, grids }, options);
    const learned = measured(hardCodes(choice, v));
    const kept = options.safeguard ? keepBetter(nearest, learned) : learned;
    const final = options.flips
      ? keepBetter(kept, measured(flipCodes(problem, kept.codes, { steps, choice, ops })))
      : kept;
    return {
      codes: final.codes,
      steps,
      statistics: {
        nearestError: total(nearest.errors),
        error: total(final.errors),
        flipped: share(final.codes, (code, index) => code !== nearest.codes[index]),
        settled: share(v, (value) => Math.abs(rectifiedSigmoid(value).value - 0.5) >= 0.5 - SETTLED),
        iterations: options.beta.iterations,
      },
    };
  } finally {
    releaseRows(ops, uploaded);
  }
}

function* learn(
  ops: Ops,
  problem: LayerProblem,
  uploaded: UploadedRows,
  start: { choice: RoundingChoice; grids: readonly WeightGrid[] },
  options: AdaRoundOptions,
): Stepwise<Float32Array> {
  const { samples } = problem.rows;
  const batchSize = Math.min(options.batchSize, samples);
  const learner = new RoundingLearner(ops, problem, uploaded, start, { ...options, batchSize });
  const key = { seed: options.seed, stream: `${problem.name}.batches` };
  const { iterations } = options.beta;
  try {
    for (let iteration = 0; iteration < iterations; iteration++) {
      learner.step(subset({ ...key, counter: iteration }, samples, batchSize), betaAt(options.beta, iteration));
      yield (iteration + 1) / iterations;
    }
    return learner.values();
  } finally {
    learner.dispose();
  }
}
