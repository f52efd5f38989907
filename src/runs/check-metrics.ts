import type { z } from "zod";
import { type Metrics, mainMetric, type TaskDescription } from "../tasks/metric.ts";

interface Evaluated {
  readonly metrics: Metrics;
}

/** Where a record has the metrics of an evaluation. */
interface WithMetrics {
  readonly task: TaskDescription;
  readonly epochs: readonly { readonly train: Evaluated; readonly evaluation: Evaluated }[];
  readonly codebooks?: { readonly floatMetrics: Metrics; readonly metrics: Metrics | null } | undefined;
  readonly postTraining?: { readonly floatMetrics: Metrics } | undefined;
  readonly result: (Evaluated & { readonly sampledMetrics: Metrics }) | null;
  readonly analysis?:
    | {
        readonly sensitivity?:
          | (Evaluated & { readonly tensors: readonly { readonly choices: readonly Evaluated[] }[] })
          | undefined;
      }
    | null
    | undefined;
  readonly exports: readonly { readonly verification: (Evaluated & { readonly trainerMetrics: Metrics }) | null }[];
}

/** Refuses an evaluation without the task's main metric, and shares beyond 0 to 100 %. */
export function checkMetrics(record: WithMetrics, context: z.core.$RefinementCtx): void {
  const { task, epochs, codebooks, postTraining, result, analysis, exports } = record;
  const { key: main } = mainMetric(task);
  const refuse = (path: (string | number)[], message: string, input: unknown) =>
    context.addIssue({ code: "custom", path, message, input });
  const checkShares = (values: Metrics, path: readonly (string | number)[]) => {
    for (const { key, isShare } of task.metrics) {
      const value = values[key];
      if (isShare && value !== undefined && (value < 0 || value > 100))
        refuse([...path, key], "expected 0 to 100", value);
    }
  };
  const check = (values: Metrics, ...path: (string | number)[]) => {
    if (values[main] === undefined) refuse([...path, main], "expected the task's main metric", undefined);
    checkShares(values, path);
  };
  epochs.forEach(({ train, evaluation }, index) => {
    checkShares(train.metrics, ["epochs", index, "train", "metrics"]);
    check(evaluation.metrics, "epochs", index, "evaluation", "metrics");
  });
  if (codebooks) check(codebooks.floatMetrics, "codebooks", "floatMetrics");
  if (codebooks?.metrics) check(codebooks.metrics, "codebooks", "metrics");
  if (postTraining) check(postTraining.floatMetrics, "postTraining", "floatMetrics");
  if (result) {
    check(result.metrics, "result", "metrics");
    check(result.sampledMetrics, "result", "sampledMetrics");
  }
  const sensitivity = analysis?.sensitivity;
  if (sensitivity) {
    const place = ["analysis", "sensitivity"];
    check(sensitivity.metrics, ...place, "metrics");
    for (const [tensor, { choices }] of sensitivity.tensors.entries()) {
      for (const [choice, { metrics }] of choices.entries())
        check(metrics, ...place, "tensors", tensor, "choices", choice, "metrics");
    }
  }
  for (const [index, { verification }] of exports.entries()) {
    if (verification === null) continue;
    check(verification.metrics, "exports", index, "verification", "metrics");
    check(verification.trainerMetrics, "exports", index, "verification", "trainerMetrics");
  }
}
