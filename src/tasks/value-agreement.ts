import { mean } from "../core/mean.ts";
import { square } from "../core/powers.ts";
import type { Agreement, ComparedBatch, ComparedPredictions } from "./agreement.ts";
import type { Metric, Metrics } from "./metric.ts";
import type { Evaluator } from "./task.ts";
import { Variation } from "./variation.ts";

/** How a task judges values. */
interface ValueJudge {
  evaluator(): Evaluator;
  readonly main: Pick<Metric, "key" | "label">;
  /** Whether that is a root mean square, which can be no further apart than the values are. */
  readonly isRootMeanSquare: boolean;
  /** Whether values are held against what all outputs deviate by, as of images, of which some pixels hardly do; each its own if left out. */
  readonly pooled?: boolean;
}

/** Values whose differences are kept: of larger outputs those of the first images. */
const MOST_KEPT = 2 ** 21;

/** Percent of the deviation of the trainer's outputs by which those of a file may differ in the mean. */
const MEAN_DIFFERENCE = 1;
/** Percent of it beyond which a value is another one, and percent of the values that may be. */
const OTHER_VALUE = 10;
const MOST_OTHERS = 1;

/**
 * Compares a file's values with the trainer's, relative to the standard deviation of the trainer's over the test set.
 * Where sums of float32 end on the other side of a rounding boundary, deep networks carry one code's difference on to
 * the outputs (docs/export.md): few values may differ by more.
 */
export class ValueAgreement implements Agreement {
  readonly #judge: ValueJudge;
  readonly #file: Evaluator;
  readonly #own: Evaluator;
  readonly #outputs: readonly { readonly trainer: Variation; readonly differences: number[] }[];
  readonly #trainer: Metrics | null;
  #images = 0;
  #kept = 0;

  /** @param trainer The metrics as the training measured them; null: what the trainer's outputs give. */
  constructor(outputs: number, trainer: Metrics | null, judge: ValueJudge) {
    this.#judge = judge;
    [this.#file, this.#own] = [judge.evaluator(), judge.evaluator()];
    this.#outputs = Array.from({ length: outputs }, () => ({ trainer: new Variation(), differences: [] }));
    this.#trainer = trainer;
  }

  add({ runtime, trainer, ...batch }: ComparedBatch): void {
    this.#images += batch.count;
    this.#file.add({ ...batch, outputs: runtime });
    this.#own.add({ ...batch, outputs: trainer });
    for (let at = 0; at < trainer.length; at++) {
      const output = this.#outputs[at % this.#outputs.length]!;
      output.trainer.add(trainer[at]!);
      if (this.#kept++ < MOST_KEPT) output.differences.push(Math.abs(runtime[at]! - trainer[at]!));
    }
  }

  /** Of all values, in percent of their output's deviation; of an output that never varies, of 1. */
  get #relative(): readonly number[] {
    const pooled = Math.sqrt(mean(this.#outputs.map(({ trainer: { deviation } }) => square(deviation))));
    return this.#outputs.flatMap(({ trainer: { deviation }, differences }) =>
      differences.map((difference) => (100 * difference) / ((this.#judge.pooled ? pooled : deviation) || 1)),
    );
  }

  get result(): ComparedPredictions {
    const relative = this.#relative;
    const largest = relative.reduce((most, value) => Math.max(most, value), 0);
    const appearance = { unit: "% of the deviation", digits: null };
    return {
      images: this.#images,
      metrics: this.#file.metrics,
      trainerMetrics: this.#trainer ?? this.#own.metrics,
      agreement: [
        { key: "meanDifference", label: "mean difference", ...appearance, value: mean(relative) },
        { key: "largestDifference", label: "largest difference", ...appearance, value: largest },
      ],
    };
  }

  get disagreement(): string | null {
    const relative = this.#relative;
    const { metrics, trainerMetrics } = this.result;
    const apart = mean(relative);
    const others = relative.filter((value) => !(value <= OTHER_VALUE)).length;
    const { main } = this.#judge;
    const [own, trainers] = [metrics[main.key] ?? Number.NaN, trainerMetrics[main.key] ?? Number.NaN];
    const agrees =
      apart <= MEAN_DIFFERENCE &&
      others <= Math.max(1, (MOST_OTHERS / 100) * relative.length) &&
      (!this.#judge.isRootMeanSquare || Math.abs(own - trainers) <= this.#apart);
    if (agrees) return null;
    return (
      `${main.label} ${own} against ${trainers}; values ${apart.toPrecision(3)} % of their deviation apart in ` +
      `the mean (at most ${MEAN_DIFFERENCE} %), ${others} of ${relative.length} more than ${OTHER_VALUE} % (at most ${MOST_OTHERS} %).`
    );
  }

  /** By how much root mean squares may differ: by the triangle inequality, and what the training's own batches may add. */
  get #apart(): number {
    const squares = this.#outputs.flatMap(({ differences }) => differences.map(square));
    const largest = this.#outputs.reduce((most, { trainer }) => Math.max(most, trainer.deviation || 1), 0);
    return Math.sqrt(mean(squares)) + (MEAN_DIFFERENCE / 100) * largest;
  }
}
