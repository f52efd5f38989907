import { countText } from "../core/count-text.ts";
import { last } from "../core/elements.ts";
import type { Progress } from "../runs/checkpoint.ts";
import type { EpochRecord, RunRecord } from "../runs/record.ts";
import { mainFigure, namedText } from "../tasks/metric.ts";
import type { EpochSummary } from "../training/loop.ts";
import { accountResult, learnedOf } from "../training/record-entries.ts";
import type { Prepared } from "./prepare.ts";
import type { StepProgress } from "./step-progress.ts";

/** What the record keeps of an epoch: how it went, how it was evaluated, and what the quantizers have learned by then. */
export function epochEntry(
  { model, trainer }: Pick<Prepared, "model" | "trainer">,
  summary: EpochSummary,
  evaluation: EpochRecord["evaluation"],
): EpochRecord {
  const { epoch, loss, taskLoss, complexity, metrics, learningRates, phase, priorStrength } = summary;
  return {
    epoch,
    step: trainer.step,
    train: { loss, taskLoss, complexity, metrics },
    evaluation,
    relativeBops: accountResult(trainer.inPhase.network, trainer.inPhase.quantizers).relativeBops,
    learningRates,
    phase,
    ...(learningRates.gates > 0 && model.quantizers.size > 0 && { priorStrength }),
    quantizers: Object.fromEntries(Array.from(model.quantizers, ([id, quantizer]) => [id, learnedOf(quantizer)])),
  };
}

/** The record after the first step, whose sums are its own; nothing is known of a step that was left out. */
export const withStartLoss = (record: RunRecord, { images, taskLoss }: Progress["sums"]): RunRecord =>
  images === 0 ? record : { ...record, startLoss: taskLoss / images };

/** The record after one more epoch. */
export function withEpoch(
  { epochs, times, data, ...record }: RunRecord,
  entry: EpochRecord,
  now: { readonly epochSeconds: number; readonly waitingForData: number; readonly damaged: string[] },
): RunRecord {
  return {
    ...record,
    epochs: [...epochs, entry],
    data: { ...data, damaged: now.damaged },
    times: {
      ...times,
      epochSeconds: [...times.epochSeconds, now.epochSeconds],
      waitingForData: [...times.waitingForData, now.waitingForData],
    },
  };
}

/** The log's line of the epoch that ended last. */
export function epochLine({ epochs, task, times }: RunRecord, of: number): string {
  const { epoch, train, evaluation, relativeBops } = last(epochs);
  const figure = namedText(mainFigure(task, evaluation.metrics));
  const waiting = `${last(times.waitingForData).toFixed(1)} % of the training waiting for data`;
  return `epoch ${epoch}/${of}: loss ${train.loss.toFixed(4)}, ${evaluation.split} ${figure}, relative BOPs ${relativeBops.toFixed(3)} %, ${last(times.epochSeconds).toFixed(1)} s, ${waiting}`;
}

/** The words beside a progress bar: where training stands, and how the last epoch came out. */
export function describeStep({ epochs, task, config }: RunRecord, progress: StepProgress): string {
  const latest = epochs.at(-1);
  const rate = progress.stepsPerSecond * config.data.batchSize;
  return [
    `epoch ${progress.epoch}/${progress.epochs}`,
    ...(progress.loss === null ? [] : [`loss ${progress.loss.toFixed(4)}`]),
    ...(latest
      ? [`${namedText(mainFigure(task, latest.evaluation.metrics))} at ${latest.relativeBops.toFixed(3)} % BOPs`]
      : []),
    ...(rate > 0 ? [`${countText(Number(rate.toPrecision(3)))} images/s`] : []),
  ].join(", ");
}
