import { tuple } from "../core/tuple.ts";
import type { DivergenceWatch } from "../training/divergence.ts";
import type { EvaluationOptions } from "../training/evaluate.ts";
import { freezeCodes } from "../training/freeze-codes.ts";
import { stepGates } from "../training/loop.ts";
import { type GatesOf, testTimeGates } from "../training/pass.ts";
import { accountResult } from "../training/record-entries.ts";
import { analyseRun } from "./analyse-run.ts";
import { type EvaluatedInPhase, evaluateInPhase } from "./evaluate-in-phase.ts";
import type { FloatAnswers } from "./float-answers.ts";
import { allDamaged } from "./new-record.ts";
import type { Prepared } from "./prepare.ts";
import type { RunContext } from "./run-context.ts";
import type { SavedRun } from "./saved-run.ts";

interface Finishing extends Pick<RunContext, "reporter"> {
  readonly float: FloatAnswers;
  readonly watch: DivergenceWatch;
  readonly pause: EvaluatedInPhase["pause"];
}

/** Final figures: the last epoch's, on the test set, with test-time and once with sampled gates; into the record. */
export async function addFinalFigures(
  prepared: Prepared,
  saved: SavedRun,
  { reporter, float, watch, pause }: Finishing,
): Promise<void> {
  const { model, dataset, config, task } = prepared;
  const evaluate = (gatesOf: GatesOf, observe?: EvaluationOptions["observe"]) =>
    evaluateInPhase(prepared, dataset.test, { gatesOf, pause, observe });
  await freezeCodes(model, dataset.train, config.data.evaluationBatchSize);
  const examiner = task.examiner(dataset.normalization === null ? null : tuple(dataset.imageShape, 3), float.values);
  const { taskLoss, metrics } = await evaluate(testTimeGates, (batch) => examiner.add(batch));
  const sampled = await evaluate((model) => stepGates(model, config.seed, saved.position.step));
  const analysis = await analyseRun(prepared, { reporter, pause });
  const diverged = watch.end(saved.record, metrics);
  saved.record = {
    ...saved.record,
    data: { ...saved.record.data, damaged: allDamaged(saved.record, dataset) },
    result: {
      metrics,
      taskLoss,
      sampledMetrics: sampled.metrics,
      ...accountResult(model.network, model.quantizers),
      ...(diverged !== null && { diverged }),
    },
    findings: examiner.findings,
    analysis,
  };
  saved.save();
}
