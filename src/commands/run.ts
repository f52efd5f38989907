import { writeFileAtomically } from "../base/atomic-file.ts";
import { interrupted, isStop, messageOf, UserError } from "../base/errors.ts";
import { canonicalConfig, configHash } from "../config/canonical.ts";
import { type Change, describeChange } from "../config/changes.ts";
import type { Split } from "../data/dataset.ts";
import { writeReport } from "../report/write-report.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import { saveCheckpoint } from "../runs/checkpoints.ts";
import type { RunRecord } from "../runs/record.ts";
import { writeRecord } from "../runs/record-file.ts";
import { clearRun, runFiles } from "../runs/run-directory.ts";
import { analyse } from "../training/analysis/analyse.ts";
import { Confidences } from "../training/analysis/confidences.ts";
import { DivergenceWatch } from "../training/divergence.ts";
import { type Evaluation, type EvaluationOptions, evaluate } from "../training/evaluate.ts";
import { type EpochSummary, start, stepSamples, trainLoop } from "../training/loop.ts";
import { accountResult, confusionMatrix } from "../training/outcome.ts";
import { pausingSplit } from "../training/pausing-split.ts";
import { epochsOf } from "../training/phases.ts";
import { type Samples, testSamples } from "../training/settings.ts";
import { restoreSnapshot, takeSnapshot } from "../training/snapshot.ts";
import { beginQuantizers, beginWeights } from "./begin-training.ts";
import type { Context } from "./context.ts";
import { epochEntry } from "./epoch-entry.ts";
import { exportRun } from "./export.ts";
import { describeLayer, LayerByLayer } from "./layer-by-layer.ts";
import { newRecord } from "./new-record.ts";
import { type Prepared, requireSameNetwork } from "./prepare.ts";
import { describe } from "./result.ts";

/** One training run. Its checkpoint is what it goes on from; its record on disk is for reading only. */
export class Run {
  readonly folder: string;
  readonly prepared: Prepared;
  readonly context: Context;
  readonly #watch: DivergenceWatch;
  readonly #publish: (record: RunRecord) => void;
  #record: RunRecord;
  /** Where a trained network is quantized layer by layer, in place of training. */
  readonly #layers: LayerByLayer | null;
  #position = start;
  #sessionStarted = Date.now();
  #secondsBefore = 0;
  #lastEpochAt = Date.now();
  #savedAt = Date.now();
  #savedStep = 0;

  /** @param publish Gets each new state of the record. */
  constructor(folder: string, prepared: Prepared, context: Context, publish: (record: RunRecord) => void = () => {}) {
    this.folder = folder;
    this.prepared = prepared;
    this.context = context;
    this.#publish = publish;
    this.#record = newRecord(prepared);
    publish(this.#record);
    const { layerwise } = prepared.method;
    this.#layers = layerwise ? new LayerByLayer(prepared, layerwise) : null;
    this.#watch = new DivergenceWatch(prepared.config.training.guards, (step, message) => this.#warn(step, message));
  }

  get record(): RunRecord {
    return this.#record;
  }

  set record(record: RunRecord) {
    this.#record = record;
    this.#publish(record);
  }

  /** Weights, statistics and ranges before the first step (ARCHITECTURE.md, "The method" 5). */
  async begin(): Promise<void> {
    if (this.#layers) await this.#beginLayers(this.#layers);
    else {
      await beginWeights(this.prepared);
      if (this.prepared.phases[0]!.quantizes) await this.#beginQuantizers();
    }
    clearRun(this.folder);
    writeFileAtomically(runFiles(this.folder).config, canonicalConfig(this.prepared.config));
    this.save();
  }

  #beginQuantizers(): Promise<void> {
    return beginQuantizers(this.prepared, async () => (await this.#heldOut()).crossEntropy);
  }

  async #beginLayers(layers: LayerByLayer): Promise<void> {
    const { model, dataset } = this.prepared;
    layers.begin();
    const { top1 } = await this.#evaluate(dataset.test, testSamples(model));
    this.record = { ...this.record, postTraining: layers.firstRecord(top1) };
  }

  /** @param changes Settings that have other values than when the run began; the record tells of them. */
  restore({ tensors, progress, record }: Checkpoint, changes: readonly Change[]): void {
    const { config } = this.prepared;
    requireSameNetwork(this.prepared, record);
    restoreSnapshot(this.prepared, tensors, progress);
    this.#layers?.restore(tensors);
    this.#position = progress;
    this.#savedStep = progress.step;
    this.record = { ...record, status: "running", config, configHash: configHash(config) };
    this.#secondsBefore = record.times.seconds;
    this.context.reporter.info(`continuing ${this.folder} at epoch ${progress.epoch + 1}, step ${progress.step}`);
    if (changes.length === 0) return;
    this.#warn(progress.step, `continued with other settings: ${changes.map(describeChange).join("; ")}`);
    writeFileAtomically(runFiles(this.folder).config, canonicalConfig(config));
  }

  /** Trains, or quantizes layer by layer, to the end, or until a signal: then it saves and throws. */
  async train(): Promise<void> {
    if (this.#layers) return this.#quantize(this.#layers);
    const { config, dataset, trainer, phases } = this.prepared;
    const epochs = epochsOf(phases);
    const { progress } = this.context.reporter;
    const options = { seed: config.seed, batchSize: config.data.batchSize, phases };
    progress.start("training", epochs);
    try {
      await this.#saveWhenStopped(async () => {
        if (this.#endsEarly()) return;
        await trainLoop(trainer, dataset, options, this.#position, {
          step: async (position, perEpoch) => {
            this.#position = position;
            progress.update(position.epoch + position.batch / perEpoch, describe(this.record));
            await this.#hearSignals();
            if (this.#isDue()) this.save();
            return position.batch === 0 && this.#endsEarly();
          },
          epoch: (summary) => this.#epoch(summary),
          quantize: () => this.#beginQuantizers(),
          watch: this.#watch,
        });
      });
    } finally {
      progress.stop();
    }
  }

  async #quantize(layers: LayerByLayer): Promise<void> {
    const { progress, info } = this.context.reporter;
    progress.start("quantizing", this.record.network.layers.length);
    try {
      await this.#saveWhenStopped(() =>
        layers.quantize(this.record.postTraining!, {
          warn: (message) => this.#warn(this.#position.step, message),
          pause: () => this.#hearSignals(),
          layer: (postTraining, seconds) => {
            const { times } = this.record;
            const layerSeconds = [...(times.layerSeconds ?? []), seconds];
            this.record = { ...this.record, postTraining, times: { ...times, layerSeconds } };
            this.#position = { ...this.#position, step: postTraining.layers.length };
            progress.update(postTraining.layers.length, "");
            info(describeLayer(postTraining, seconds));
            this.save();
          },
        }),
      );
    } finally {
      progress.stop();
    }
  }

  /** Final figures: the last epoch's, on the test set, with test-time and once with sampled gates. */
  async finish(): Promise<void> {
    const { model, dataset, config } = this.prepared;
    await this.#saveWhenStopped(async () => {
      const confidences = new Confidences(dataset.imageShape);
      const { top1, crossEntropy, predictions, labels } = await this.#evaluate(
        dataset.test,
        testSamples(model),
        (batch) => confidences.add(batch),
      );
      const sampled = await this.#evaluate(dataset.test, stepSamples(model, config.seed, this.#position.step));
      this.record = {
        ...this.record,
        data: { ...this.record.data, damaged: union(this.record.data.damaged, dataset.damaged()) },
        result: {
          top1,
          crossEntropy,
          sampledTop1: sampled.top1,
          ...accountResult(model.network, model.quantizers),
          confusion: confusionMatrix(dataset.classes.length, labels, predictions),
        },
        analysis: analyse(model, dataset, confidences),
      };
      this.save();
    });
  }

  /** Network and report; the record comes last, so that a run which says that it is finished has all its files. */
  async deliver(): Promise<void> {
    const { model, bits, report } = runFiles(this.folder);
    await this.#markFailure(async () => {
      const exported = await exportRun(this.prepared, this.record, {
        file: model,
        bits,
        reporter: this.context.reporter,
      });
      this.record = { ...this.record, export: exported };
      this.#updateTimes("finished");
      writeReport(this.record, report);
      this.#saveCheckpoint();
      writeRecord(this.folder, this.record);
    });
  }

  /** Checkpoint and record to disk. */
  save(status: RunRecord["status"] = "running"): void {
    this.#updateTimes(status);
    this.#saveCheckpoint();
    writeRecord(this.folder, this.record);
  }

  #saveCheckpoint(): void {
    const tensors = new Map([...takeSnapshot(this.prepared.trainer), ...(this.#layers?.tensors ?? [])]);
    saveCheckpoint(this.folder, { tensors, progress: this.#position, record: this.record });
    this.#savedAt = Date.now();
    this.#savedStep = this.#position.step;
  }

  #updateTimes(status: RunRecord["status"]): void {
    const now = Date.now();
    const seconds = this.#secondsBefore + (now - this.#sessionStarted) / 1000;
    const finishedAt = status === "finished" ? new Date(now).toISOString() : null;
    this.record = { ...this.record, status, times: { ...this.record.times, seconds, finishedAt } };
  }

  #isDue(): boolean {
    const { everyEpochs, everyMinutes } = this.prepared.config.checkpoint;
    const { epoch, batch } = this.#position;
    return (batch === 0 && epoch % everyEpochs === 0) || Date.now() - this.#savedAt >= everyMinutes * 60_000;
  }

  #endsEarly(): boolean {
    const { epochs } = this.record;
    return epochs.length > 0 && this.#watch.endsEarly(epochs);
  }

  /** @throws what a stop by a signal is, between two steps or two batches of an evaluation. */
  async #hearSignals(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const { stop } = this.context;
    if (stop.aborted) throw interrupted(stop.reason, this.folder);
  }

  /** A signal ends `work` with everything saved; anything else is a failure. */
  #saveWhenStopped(work: () => Promise<void>): Promise<void> {
    return this.#markFailure(async () => {
      try {
        await work();
      } catch (error) {
        if (isStop(error)) this.save("stopped");
        throw error;
      }
    });
  }

  /** Says in the record, if it can still be written, that the run has failed, and in the error what is left of it. */
  async #markFailure(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isStop(error)) throw error;
      this.record = { ...this.record, status: "failed" };
      this.#warn(this.#position.step, messageOf(error));
      try {
        writeRecord(this.folder, this.record);
      } catch {
        // The error before this one is what is told; the checkpoint is what counts.
      }
      if (!(error instanceof UserError)) throw error;
      const { exitCode } = error;
      const kept = `the state of step ${this.#savedStep} is kept: continue from it with --resume`;
      throw new UserError(`${error.message}\n${kept}`, { exitCode, cause: error });
    }
  }

  #evaluate(split: Split, samples: Samples, observe?: EvaluationOptions["observe"]): Promise<Evaluation> {
    const { dataset, config, trainer } = this.prepared;
    const options = {
      samples,
      normalization: dataset.normalization,
      batchSize: config.data.evaluationBatchSize,
      ...(observe && { observe }),
    };
    return evaluate(
      trainer.model,
      pausingSplit(split, () => this.#hearSignals()),
      options,
    );
  }

  /** With test-time gates, on held-out images where there are some. */
  #heldOut(): Promise<Evaluation> {
    const { trainer, dataset } = this.prepared;
    return this.#evaluate(dataset.validation ?? dataset.test, testSamples(trainer.model));
  }

  async #epoch(summary: EpochSummary): Promise<void> {
    const { dataset, phases } = this.prepared;
    const { epoch, loss, waitingForData } = summary;
    const { top1, crossEntropy } = await this.#heldOut();
    const split = dataset.validation ? ("validation" as const) : ("test" as const);
    const entry = epochEntry(this.prepared, summary, { split, top1, crossEntropy });
    const epochSeconds = (Date.now() - this.#lastEpochAt) / 1000;
    this.#lastEpochAt = Date.now();
    const { times, epochs } = this.record;
    this.record = {
      ...this.record,
      epochs: [...epochs, entry],
      data: { ...this.record.data, damaged: union(this.record.data.damaged, dataset.damaged()) },
      times: {
        ...times,
        epochSeconds: [...times.epochSeconds, epochSeconds],
        waitingForData: [...times.waitingForData, waitingForData],
      },
    };
    this.context.reporter.info(
      `epoch ${epoch}/${epochsOf(phases)}: loss ${loss.toFixed(4)}, ${split} top-1 ${top1.toFixed(2)} %, relative BOPs ${entry.relativeBops.toFixed(3)} %, ${epochSeconds.toFixed(1)} s, ${waitingForData.toFixed(1)} % of the training waiting for data`,
    );
    this.#watch.epoch(this.record.epochs);
  }

  #warn(step: number, message: string): void {
    const { warnings } = this.record;
    if (warnings.some((warning) => warning.message === message)) return;
    this.record = { ...this.record, warnings: [...warnings, { step, message }] };
    this.context.reporter.warn(`step ${step}: ${message}`);
  }
}

/** Damaged images of all sessions of a run: one that resumes does not read again what was read before. */
const union = (before: readonly string[], now: readonly string[]): string[] => [...new Set([...before, ...now])].sort();
