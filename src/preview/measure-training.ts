import type { RunConfig } from "../config/schema.ts";
import { median } from "../core/median.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import { beginRanges, beginWeights } from "../runner/begin-training.ts";
import type { Prepared } from "../runner/prepare.ts";
import { evaluate } from "../training/evaluate.ts";
import { start, trainLoop } from "../training/loop.ts";
import { testTimeGates } from "../training/pass.ts";

/** Steps that are not counted: memory is taken, kernels are chosen. */
const WARM_UP = 2;
/** Steps that are. */
const TIMED = 8;
/** Seconds after which no further step begins. */
const LONGEST = 10;
/** Images that are evaluated at most. */
const EVALUATED = 256;
/** Epochs of a training that ends before them: small data sets have few steps in each. */
const MANY = 1000;

/** What training was seen to take. */
export interface Timing {
  /** Median seconds of a training step, with its wait for images. */
  readonly step: number;
  /** Steps that it is the median of. */
  readonly steps: number;
  /** Seconds for each image that is evaluated. */
  readonly image: number;
}

/** A configuration whose first steps are those that most of the run's are like: without what comes before and behind them. */
export const measuredConfig = (config: RunConfig): RunConfig => ({
  ...config,
  training: { ...config.training, epochs: MANY, pretrain: undefined, finetune: undefined, fixGatesAfter: undefined },
});

/**
 * Times a few training steps, for some ten seconds at most, and an evaluation. The model is changed by it.
 *
 * @param prepared Of a {@link measuredConfig}.
 * @throws UserError, UsageError as the beginning of a training does.
 */
export async function measureTraining(prepared: Prepared): Promise<Timing> {
  const { config, dataset, trainer, phases, task } = prepared;
  await beginWeights(prepared);
  await prepared.teaching?.begin();
  await beginRanges(prepared);
  const options = { seed: config.seed, batchSize: config.data.batchSize, phases, task };
  const began = performance.now();
  const ends: number[] = [];
  await trainLoop(trainer, dataset, options, start, {
    step: () => {
      const now = performance.now();
      ends.push(now);
      return ends.length > WARM_UP + TIMED || now - began > 1000 * LONGEST;
    },
    epoch() {},
    // Nothing is learned here: whatever the numbers are, a step takes as long.
    watch: { permits: () => true, held() {} },
  });
  const durations = ends.map((end, index) => end - (ends[index - 1] ?? began));
  const counted = durations.length > WARM_UP ? durations.slice(WARM_UP) : durations.slice(-1);
  return { step: median(counted) / 1000, steps: counted.length, image: await evaluationSeconds(prepared) };
}

async function evaluationSeconds({ config, dataset, trainer, task }: Prepared): Promise<number> {
  const { inPhase: model } = trainer;
  const split = firstOf(dataset.test, EVALUATED);
  const began = performance.now();
  await evaluate(model, split, {
    ...{ task, samples: testTimeGates(model), normalization: dataset.normalization },
    batchSize: Math.min(config.data.evaluationBatchSize, split.count),
  });
  return (performance.now() - began) / 1000 / split.count;
}

/** The first images of a split. */
export const firstOf = (split: Dataset["test"], count: number): Split => ({
  count: Math.min(count, split.count),
  batches: ({ batchSize, limit = count }) => split.batches({ batchSize, limit: Math.min(limit, count) }),
});
