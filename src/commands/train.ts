import { join } from "node:path";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { interrupted, messageOf } from "../base/errors.ts";
import { canonicalConfig } from "../config/canonical.ts";
import { loadConfig } from "../config/load.ts";
import { writeReport } from "../report/write-report.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../runs/checkpoint.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord, writeRecord } from "../runs/record-file.ts";
import { openRunDirectory, runFiles } from "../runs/run-directory.ts";
import { evaluate } from "../training/evaluate.ts";
import { initializeRanges } from "../training/initial-ranges.ts";
import { start, stepSamples, trainLoop } from "../training/loop.ts";
import { accountResult, confusionMatrix, learnedOf } from "../training/outcome.ts";
import { testSamples } from "../training/settings.ts";
import { restoreSnapshot, takeSnapshot } from "../training/snapshot.ts";
import type { Context } from "./context.ts";
import { exportRun } from "./export.ts";
import { newRecord } from "./new-record.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { describe, printResult } from "./result.ts";

export interface TrainOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly out?: string;
  readonly resume: boolean;
  readonly force: boolean;
}

/** `train`: configuration in; run directory with checkpoint, record, ONNX file and report out. */
export async function runTrain(options: TrainOptions, context: Context): Promise<void> {
  const { config } = loadConfig(options.config, { set: [...options.set] });
  const folder = options.out ?? join("reports", config.name);
  const opening = openRunDirectory(folder, options);
  if (opening === "finished") {
    context.reporter.info(`${folder} holds a finished run of ${config.name}: nothing to do (--force trains it again)`);
    return printResult(folder, readRecord(folder), context);
  }
  const files = runFiles(folder);
  writeFileAtomically(files.config, canonicalConfig(config));
  const log = context.openEventLog(files.events);
  const prepared = await prepare(config, { reporter: log });
  const run = new Run(folder, prepared, { ...context, reporter: log });
  if (opening === "resume") run.restore(readCheckpoint(files.checkpoint));
  else run.begin();
  await run.train();
  run.finish();
  run.record = {
    ...run.record,
    export: await exportRun(prepared, run.record, { file: files.model, bits: files.bits, reporter: log }),
  };
  run.save();
  writeReport(run.record, files.report);
  printResult(folder, run.record, context);
}

/** One training run: the record and the checkpoint move together. */
class Run {
  readonly folder: string;
  readonly prepared: Prepared;
  readonly context: Context;
  record: RunRecord;
  #position = start;
  #sessionStarted = Date.now();
  #secondsBefore = 0;
  #lastEpochAt = Date.now();

  constructor(folder: string, prepared: Prepared, context: Context) {
    this.folder = folder;
    this.prepared = prepared;
    this.context = context;
    this.record = newRecord(prepared);
  }

  /** First ranges, from two training images (ARCHITECTURE.md, "The method" 5). */
  begin(): void {
    const { model, dataset, config } = this.prepared;
    const { ops } = model;
    const { images } = dataset.train;
    const [height, width, channels] = dataset.imageShape;
    const count = Math.min(2, dataset.train.count);
    initializeRanges(
      model,
      () =>
        ops.normalize(
          ops.tensor(images.slice(0, count * height * width * channels), [count, height, width, channels]),
          dataset.normalization,
        ),
      () => stepSamples(model, config.seed, 0),
    );
    this.save();
  }

  restore({ tensors, progress, record }: Checkpoint): void {
    restoreSnapshot(this.prepared.trainer, tensors, progress.step);
    this.#position = progress;
    this.record = { ...record, status: "running" };
    this.#secondsBefore = record.times.seconds;
    this.context.reporter.info(`continuing ${this.folder} at epoch ${progress.epoch + 1}, step ${progress.step}`);
  }

  async train(): Promise<void> {
    const { config, dataset, trainer } = this.prepared;
    const { epochs } = config.training;
    const { progress } = this.context.reporter;
    const options = {
      seed: config.seed,
      epochs,
      batchSize: config.data.batchSize,
      priorStrength: config.method.prior.strength,
      rates: config.training,
    };
    let stopped = false;
    try {
      progress.start("training", epochs);
      this.#position = await trainLoop(trainer, dataset, options, this.#position, {
        step: async (position, perEpoch) => {
          this.#position = position;
          progress.update(position.epoch + position.batch / perEpoch, describe(this.record));
          // Lets signals in.
          await new Promise((resolve) => setImmediate(resolve));
          stopped = this.context.stop.aborted;
          if (position.batch === 0 && (stopped || position.epoch % config.checkpoint.everyEpochs === 0)) this.save();
          return stopped;
        },
        epoch: (summary) => this.#epoch(summary),
        rangeAtFloor: (step, id) => this.#warn(step, `the range of ${id} has reached its floor`),
      });
    } catch (error) {
      this.record = { ...this.record, status: "failed" };
      this.#warn(this.#position.step, messageOf(error));
      writeRecord(this.folder, this.record);
      throw error;
    } finally {
      progress.stop();
    }
    if (stopped && this.#position.epoch < epochs) {
      this.record = { ...this.record, status: "stopped" };
      this.save();
      throw interrupted(this.context.stop.reason, this.folder);
    }
  }

  /** Final figures: the last epoch's, on the test set, with test-time and once with sampled gates. */
  finish(): void {
    const { model, dataset, config } = this.prepared;
    const options = { normalization: dataset.normalization, batchSize: config.data.evaluationBatchSize };
    const { top1, crossEntropy, predictions } = evaluate(model, dataset.test, {
      ...options,
      samples: testSamples(model),
    });
    const sampled = evaluate(model, dataset.test, {
      ...options,
      samples: stepSamples(model, config.seed, this.#position.step),
    });
    this.record = {
      ...this.record,
      status: "finished",
      result: {
        top1,
        crossEntropy,
        sampledTop1: sampled.top1,
        ...accountResult(model.network, model.quantizers),
        confusion: confusionMatrix(dataset.classes.length, dataset.test.labels, predictions),
      },
    };
  }

  /** Record and checkpoint to disk: the record first, so that a checkpoint never lacks one. */
  save(): void {
    const now = Date.now();
    const seconds = this.#secondsBefore + (now - this.#sessionStarted) / 1000;
    const finishedAt = this.record.status === "finished" ? new Date(now).toISOString() : null;
    this.record = { ...this.record, times: { ...this.record.times, seconds, finishedAt } };
    writeRecord(this.folder, this.record);
    writeCheckpoint(runFiles(this.folder).checkpoint, {
      tensors: takeSnapshot(this.prepared.trainer),
      progress: this.#position,
      record: this.record,
    });
  }

  #epoch(summary: Parameters<Parameters<typeof trainLoop>[4]["epoch"]>[0]): void {
    const { model, dataset, config, trainer } = this.prepared;
    const { epoch, loss, crossEntropy, complexity, top1, learningRates } = summary;
    const evaluated = evaluate(model, dataset.validation ?? dataset.test, {
      samples: testSamples(model),
      normalization: dataset.normalization,
      batchSize: config.data.evaluationBatchSize,
    });
    const { relativeBops } = accountResult(model.network, model.quantizers);
    const split = dataset.validation ? ("validation" as const) : ("test" as const);
    const entry = {
      epoch,
      step: trainer.step,
      train: { loss, crossEntropy, complexity, top1 },
      evaluation: { split, top1: evaluated.top1, crossEntropy: evaluated.crossEntropy },
      relativeBops,
      learningRates,
      quantizers: Object.fromEntries(Array.from(model.quantizers, ([id, quantizer]) => [id, learnedOf(quantizer)])),
    };
    const epochSeconds = (Date.now() - this.#lastEpochAt) / 1000;
    this.#lastEpochAt = Date.now();
    const { times, epochs } = this.record;
    this.record = {
      ...this.record,
      epochs: [...epochs, entry],
      times: { ...times, epochSeconds: [...times.epochSeconds, epochSeconds] },
    };
    this.context.reporter.info(
      `epoch ${epoch}/${config.training.epochs}: loss ${loss.toFixed(4)}, ${split} top-1 ${evaluated.top1.toFixed(2)} %, relative BOPs ${relativeBops.toFixed(3)} %, ${epochSeconds.toFixed(1)} s`,
    );
  }

  #warn(step: number, message: string): void {
    const { warnings } = this.record;
    if (warnings.some((warning) => warning.message === message)) return;
    this.record = { ...this.record, warnings: [...warnings, { step, message }] };
    this.context.reporter.warn(`step ${step}: ${message}`);
  }
}
