import { first } from "../../core/elements.ts";
import { square } from "../../core/powers.ts";
import { outputsOf, type TargetDescription, type Targets } from "../../data/targets.ts";
import type { Agreement, ComparedBatch, ComparedPredictions } from "../agreement.ts";
import type { Metric, Metrics, TaskDescription } from "../metric.ts";
import { squaredError } from "../squared-error.ts";
import type { Evaluator, Task } from "../task.ts";
import { Variation } from "../variation.ts";
import { type RegressionFindings, Residuals } from "./value-findings.ts";

const plain = { unit: "", digits: null, isShare: false } as const;
const rmse: Metric = { ...plain, key: "rmse", label: "RMSE", better: "lower", chance: null };
const mae: Metric = { ...plain, key: "mae", label: "MAE", better: "lower", chance: null };
const r2: Metric = { ...plain, key: "r2", label: "R²", better: "higher", chance: 0 };

const description: TaskDescription = {
  metrics: [rmse, mae, r2],
  loss: { label: "squared error", unit: "", digits: null },
};

/** Numbers for each image: squared error, judged by its root, the absolute error and the share of variance explained. */
export const regression = {
  targets: "values",
  create: (described: TargetDescription): Task<RegressionFindings> => {
    const outputs = outputsOf(described);
    return {
      name: "regression",
      outputs,
      softmax: null,
      labelsFrom: (values) => ({ kind: "values", values }),
      description,
      targets: (ops, { count, targets }) => [ops.tensor(numbersOf(targets), [count, outputs])],
      loss: (ops, values, targets) => squaredError(ops, values, first(targets)),
      sums: (ops, values, targets) => sumsOf(ops.read(values), ops.read(first(targets)), outputs),
      figures: ({ squared = 0, absolute = 0 }, images) => ({
        rmse: Math.sqrt(squared / images),
        mae: absolute / images,
      }),
      evaluator: () => new Errors(outputs),
      answers: () => null,
      examiner: () => new Residuals(outputs),
      agreement: (trainer) => new ValueAgreement(outputs, trainer),
    };
  },
} as const;

/** Summed over images, each the mean over its outputs. */
function sumsOf(values: ArrayLike<number>, targets: ArrayLike<number>, outputs: number) {
  let [squared, absolute] = [0, 0];
  for (let at = 0; at < targets.length; at++) {
    const difference = values[at]! - targets[at]!;
    squared += difference * difference;
    absolute += Math.abs(difference);
  }
  return { squared: squared / outputs, absolute: absolute / outputs };
}

/** The data set has been opened for this task: other targets are a defect. */
function numbersOf({ kind, values }: Targets): Float32Array {
  if (kind !== "values") throw new Error(`regression of ${kind}`);
  return values;
}

/** R² is the mean over outputs of 1 - squared errors/variance; of an output that never varies 1 where it is met, else 0. */
class Errors implements Evaluator {
  readonly #squared: number[];
  readonly #targets: readonly Variation[];
  #absolute = 0;

  constructor(outputs: number) {
    this.#squared = new Array<number>(outputs).fill(0);
    this.#targets = Array.from({ length: outputs }, () => new Variation());
  }

  add({ outputs, targets }: Parameters<Evaluator["add"]>[0]): void {
    const width = this.#squared.length;
    numbersOf(targets).forEach((target, at) => {
      const difference = outputs[at]! - target;
      this.#squared[at % width]! += difference * difference;
      this.#absolute += Math.abs(difference);
      this.#targets[at % width]!.add(target);
    });
  }

  get metrics(): Metrics {
    const values = this.#targets.reduce((sum, { count }) => sum + count, 0);
    const explained = this.#targets.map(({ squares }, output) => {
      const squared = this.#squared[output]!;
      return squares > 0 ? 1 - squared / squares : squared === 0 ? 1 : 0;
    });
    return {
      rmse: Math.sqrt(sum(this.#squared) / values),
      mae: this.#absolute / values,
      r2: sum(explained) / explained.length,
    };
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

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
class ValueAgreement implements Agreement {
  readonly #file: Errors;
  readonly #own: Errors;
  readonly #outputs: readonly { readonly trainer: Variation; readonly differences: number[] }[];
  readonly #trainer: Metrics | null;
  #images = 0;

  constructor(outputs: number, trainer: Metrics | null) {
    [this.#file, this.#own] = [new Errors(outputs), new Errors(outputs)];
    this.#outputs = Array.from({ length: outputs }, () => ({ trainer: new Variation(), differences: [] }));
    this.#trainer = trainer;
  }

  add({ runtime, trainer, targets, count }: ComparedBatch): void {
    this.#images += count;
    this.#file.add({ count, targets, outputs: runtime });
    this.#own.add({ count, targets, outputs: trainer });
    for (let at = 0; at < trainer.length; at++) {
      const output = this.#outputs[at % this.#outputs.length]!;
      output.trainer.add(trainer[at]!);
      output.differences.push(Math.abs(runtime[at]! - trainer[at]!));
    }
  }

  /** Of all values, in percent of their output's deviation; of an output that never varies, of 1. */
  get #relative(): readonly number[] {
    return this.#outputs.flatMap(({ trainer: { deviation }, differences }) =>
      differences.map((difference) => (100 * difference) / (deviation || 1)),
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
        { key: "meanDifference", label: "mean difference", ...appearance, value: sum(relative) / relative.length },
        { key: "largestDifference", label: "largest difference", ...appearance, value: largest },
      ],
    };
  }

  get disagreement(): string | null {
    const relative = this.#relative;
    const { metrics, trainerMetrics } = this.result;
    const mean = sum(relative) / relative.length;
    const others = relative.filter((value) => !(value <= OTHER_VALUE)).length;
    // By the triangle inequality, and what the training's own batches may add.
    const squares = this.#outputs.flatMap(({ differences }) => differences.map(square));
    const deviations = this.#outputs.map(({ trainer }) => trainer.deviation || 1);
    const apart = Math.abs(metrics.rmse! - trainerMetrics.rmse!);
    const allowed = Math.sqrt(sum(squares) / squares.length) + (MEAN_DIFFERENCE / 100) * Math.max(...deviations);
    const agrees =
      mean <= MEAN_DIFFERENCE && others <= Math.max(1, (MOST_OTHERS / 100) * relative.length) && apart <= allowed;
    if (agrees) return null;
    return (
      `RMSE ${metrics.rmse} against ${trainerMetrics.rmse}; values ${mean.toPrecision(3)} % of their deviation apart in ` +
      `the mean (at most ${MEAN_DIFFERENCE} %), ${others} of ${relative.length} more than ${OTHER_VALUE} % (at most ${MOST_OTHERS} %).`
    );
  }
}
