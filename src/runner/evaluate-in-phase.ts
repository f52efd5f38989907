import type { Split } from "../data/dataset.ts";
import { type Evaluation, type EvaluationOptions, evaluate } from "../training/evaluate.ts";
import type { GatesOf } from "../training/pass.ts";
import { pausingSplit } from "../training/pausing-split.ts";
import type { Prepared } from "./prepare.ts";

export interface EvaluatedInPhase {
  readonly gatesOf: GatesOf;
  /** Between two batches: throws to end there. */
  readonly pause: () => Promise<void>;
  readonly observe?: EvaluationOptions["observe"] | undefined;
}

/** Evaluates a run's model as it computes in the phase that its trainer is in. */
export function evaluateInPhase(
  { trainer, dataset, config, task }: Prepared,
  split: Split,
  { gatesOf, pause, observe }: EvaluatedInPhase,
): Promise<Evaluation> {
  const model = trainer.inPhase;
  return evaluate(model, pausingSplit(split, pause), {
    task,
    samples: gatesOf(model),
    normalization: dataset.normalization,
    batchSize: config.data.evaluationBatchSize,
    ...(observe && { observe }),
  });
}
