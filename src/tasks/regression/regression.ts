import type { RegressionLoss } from "../../config/sections/task-settings.ts";
import { first } from "../../core/elements.ts";
import { outputsOf, type TargetDescription, type Targets } from "../../data/targets.ts";
import type { Metric, Metrics, TaskDescription } from "../metric.ts";
import type { Evaluator, Task } from "../task.ts";
import { ValueAgreement } from "../value-agreement.ts";
import { Variation } from "../variation.ts";
import { regressionLoss } from "./regression-loss.ts";
import { type RegressionFindings, Residuals } from "./value-findings.ts";

const plain = { unit: "", digits: null, isShare: false } as const;
const rmse: Metric = { ...plain, key: "rmse", label: "RMSE", better: "lower", chance: null };
const mae: Metric = { ...plain, key: "mae", label: "MAE", better: "lower", chance: null };
const r2: Metric = { ...plain, key: "r2", label: "R²", better: "higher", chance: 0 };

const describe = (label: string): TaskDescription => ({
  metrics: [rmse, mae, r2],
  loss: { label, unit: "", digits: null },
});

/** Numbers for each image: the squared error or another one, judged by the root of the squares, the absolute error and the share of variance explained. */
export const regression = {
  targets: "values",
  outputKind: "values",
  create: (
    described: TargetDescription,
    { loss: chosen }: { readonly loss?: RegressionLoss | undefined },
  ): Task<RegressionFindings> => {
    const outputs = outputsOf(described);
    const { label, of } = regressionLoss(chosen);
    return {
      name: "regression",
      outputs,
      units: outputs,
      softmax: null,
      labelsFrom: (values) => ({ kind: "values", values }),
      description: describe(label),
      targets: (ops, { count, targets }) => [ops.tensor(numbersOf(targets), [count, outputs])],
      loss: (ops, values, targets) => of(ops, values, first(targets)),
      sums: (ops, values, targets) => sumsOf(ops.read(values), ops.read(first(targets)), outputs),
      figures: ({ squared = 0, absolute = 0 }, images) => ({
        rmse: Math.sqrt(squared / images),
        mae: absolute / images,
      }),
      evaluator: () => new Errors(outputs),
      answers: () => null,
      examiner: () => new Residuals(outputs),
      agreement: (trainer) =>
        new ValueAgreement(outputs, trainer, {
          evaluator: () => new Errors(outputs),
          main: rmse,
          isRootMeanSquare: true,
        }),
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
