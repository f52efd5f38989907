import { canonicalConfig } from "../config/canonical.ts";
import type { Change } from "../config/changes.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { first } from "../core/elements.ts";
import type { Split } from "../data/dataset.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import { withExport } from "../runs/exports.ts";
import type { RunRecord } from "../runs/record.ts";
import { clearRun, runFiles } from "../runs/run-directory.ts";
import { DivergenceWatch } from "../training/divergence.ts";
import type { Evaluation, EvaluationOptions } from "../training/evaluate.ts";
import { type EpochSummary, trainLoop } from "../training/loop.ts";
import { type GatesOf, testTimeGates, transparentGates } from "../training/pass.ts";
import { epochsOf } from "../training/phases.ts";
import { takeSnapshot } from "../training/snapshot.ts";
import { beginQuantizers, beginWeights } from "./begin-training.ts";
import { CodebookRun } from "./codebook-run.ts";
import { continueRecord } from "./continue-record.ts";
import { describeStep, epochEntry, epochLine, withEpoch, withStartLoss } from "./epoch-entry.ts";
import { evaluateInPhase } from "./evaluate-in-phase.ts";
import { exportPrepared } from "./export-prepared.ts";
import { addFinalFigures } from "./final-figures.ts";
import { FloatAnswers } from "./float-answers.ts";
import { LayerwiseRun } from "./layerwise.ts";
import { allDamaged, newRecord } from "./new-record.ts";
import type { Prepared } from "./prepare.ts";
import { requireSameFiles } from "./require-same-files.ts";
import { restorePrepared } from "./restore-prepared.ts";
import type { RunContext } from "./run-context.ts";
import { writeRunReport } from "./run-report.ts";
import { SavedRun } from "./saved-run.ts";
import { SearchRun } from "./search-run.ts";
import { StepPace } from "./step-progress.ts";

/** One run of `train`. */
export class Run implements Disposable {
  readonly prepared: Prepared;
  readonly context: RunContext;
  readonly #saved: SavedRun;
  readonly #watch: DivergenceWatch;
  /** Where a trained network is quantized layer by layer, in place of training. */
  readonly #layers: LayerwiseRun | null;
  /** Where bit-widths are searched for before quantizers train. */
  readonly #search: SearchRun | null;
  /** Where weights become codes into codebooks before these train. */
  readonly #codebooks: CodebookRun | null;
  readonly #float: FloatAnswers;
  #lastEpochAt = performance.now();
  /** Lets signals in, and throws what a stop is. */
  readonly #pause = (): Promise<void> => this.#saved.hearSignals();

  /** @param publish Gets each new state of the record. */
  constructor(folder: string, prepared: Prepared, context: RunContext, publish: (record: RunRecord) => void) {
    this.prepared = prepared;
    this.context = context;
    const { layerwise, search, clustering } = prepared.method;
    this.#layers = layerwise ? new LayerwiseRun(prepared, layerwise) : null;
    this.#search = search ? new SearchRun(prepared, search) : null;
    this.#codebooks = clustering ? new CodebookRun(prepared, clustering) : null;
    this.#float = new FloatAnswers(prepared);
    this.#saved = new SavedRun({
      ...{ folder, context, publish, record: newRecord(prepared) },
      imagesFrom: (count) => prepared.dataset.images?.usedFrom(count) ?? [],
      tensors: () =>
        new Map([
          ...takeSnapshot(prepared.trainer),
          ...[this.#layers, this.#search, prepared.teaching, this.#float].flatMap((part) => [...(part?.tensors ?? [])]),
        ]),
    });
    const { guards } = prepared.config.training;
    this.#watch = new DivergenceWatch(guards, (step, message) => this.#saved.warn(message, step));
  }

  get record(): RunRecord {
    return this.#saved.record;
  }

  [Symbol.dispose](): void {
    this.#layers?.[Symbol.dispose]();
  }

  /** Weights, statistics and ranges before the first step (docs/method.md, "Training"). */
  async begin(): Promise<void> {
    if (this.#layers) {
      this.#layers.begin();
      await this.#beginTeaching();
      const { metrics } = await this.#evaluateFloat();
      this.#saved.record = { ...this.record, postTraining: this.#layers.firstRecord(metrics) };
    } else {
      await beginWeights(this.prepared);
      await this.#beginTeaching();
      if (this.#codebooks) {
        const { metrics } = await this.#evaluateFloat();
        this.#saved.record = { ...this.record, codebooks: this.#codebooks.begin(metrics) };
      } else if (first(this.prepared.phases).quantizes) {
        if (this.#float.knowsAtStart) await this.#evaluateFloat();
        await this.#beginQuantizers();
      }
    }
    clearRun(this.#saved.folder);
    await this.#saved.markFailure(() => {
      this.#writeConfig();
      this.#saved.save();
    });
  }

  async #beginTeaching(): Promise<void> {
    await this.prepared.teaching?.begin();
    await this.prepared.teaching?.keepOutputs(this.context.reporter);
  }

  #writeConfig(): void {
    writeFileAtomically(runFiles(this.#saved.folder).config, canonicalConfig(this.prepared.config));
  }

  #beginQuantizers(): Promise<void> {
    return beginQuantizers(this.prepared, async () => (await this.#heldOut()).taskLoss);
  }

  /** @param changes Settings that have other values than when the run began; the record tells of them. */
  async restore(checkpoint: Checkpoint, changes: readonly Change[]): Promise<void> {
    const { tensors, progress } = checkpoint;
    requireSameFiles(this.prepared, this.#saved.folder, checkpoint);
    restorePrepared(this.prepared, checkpoint);
    await this.prepared.teaching?.keepOutputs(this.context.reporter);
    this.#layers?.restore(tensors);
    this.#search?.restore(tensors);
    this.#float.restore(tensors);
    const { record, warnings } = continueRecord(checkpoint, this.prepared, changes);
    this.#saved.resume(checkpoint, record);
    this.context.reporter.info(
      `continuing ${this.#saved.folder} at epoch ${progress.epoch + 1}, step ${progress.step}`,
    );
    for (const warning of warnings) this.#saved.warn(warning);
    if (changes.length > 0) await this.#saved.markFailure(() => this.#writeConfig());
  }

  /** Trains, or quantizes layer by layer, to the end, or until a signal: then it saves and throws. */
  async train(): Promise<void> {
    const { reporter } = this.context;
    const layers = this.#layers;
    if (layers) return this.#saved.saveWhenStopped(() => layers.run(this.#saved, reporter));
    const { config, dataset, task, trainer, phases } = this.prepared;
    const epochs = epochsOf(phases);
    const { progress } = reporter;
    const options = { seed: config.seed, batchSize: config.data.batchSize, phases, task };
    const codebooks = this.#codebooks;
    if (codebooks) await this.#saved.saveWhenStopped(() => codebooks.runWhereDue(this.#saved, reporter, this.#watch));
    const pace = new StepPace(epochs, this.#saved.position);
    progress.start("training", epochs);
    try {
      await this.#saved.saveWhenStopped(async () => {
        if (this.#endsEarly()) return;
        await this.#searchWhereDue();
        await trainLoop(trainer, dataset, options, this.#saved.position, {
          step: async (position, perEpoch) => {
            this.#saved.position = position;
            await this.#searchWhereDue();
            if (position.step === 1) this.#saved.record = withStartLoss(this.record, position.sums);
            const reached = pace.after(position, perEpoch);
            progress.update(position.epoch + position.batch / perEpoch, describeStep(this.record, reached));
            this.context.onStep?.(reached);
            await this.#saved.hearSignals();
            if (this.#saved.isDue(config.checkpoint)) this.#saved.save();
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

  async #searchWhereDue(): Promise<void> {
    const startedAt = performance.now();
    await this.#search?.runWhereDue(this.#saved, this.context.reporter);
    // What it takes is no epoch's time.
    this.#lastEpochAt += performance.now() - startedAt;
  }

  /** Final figures, on the test set. */
  async finish(): Promise<void> {
    const { reporter } = this.context;
    const parts = { reporter, float: this.#float, watch: this.#watch, pause: this.#pause };
    await this.#saved.saveWhenStopped(() => addFinalFigures(this.prepared, this.#saved, parts));
  }

  /** Network and report. */
  async deliver(): Promise<void> {
    const { folder } = this.#saved;
    await this.#saved.saveWhenStopped(async () => {
      const { reporter } = this.context;
      const exported = await exportPrepared(this.prepared, this.record, { folder, reporter, pause: this.#pause });
      this.#saved.record = withExport(this.record, exported);
      this.#saved.finish((record) => writeRunReport(folder, record, reporter.warn));
    });
  }

  #endsEarly(): boolean {
    const { epochs } = this.record;
    return epochs.length > 0 && this.#watch.endsEarly(epochs);
  }

  /** Evaluates the model as it computes in this phase. */
  #evaluate(split: Split, gatesOf: GatesOf, observe?: EvaluationOptions["observe"]): Promise<Evaluation> {
    return evaluateInPhase(this.prepared, split, { gatesOf, pause: this.#pause, observe });
  }

  /** The test images, with nothing quantized. */
  #evaluateFloat(): Promise<Evaluation> {
    return this.#float.take((observe) => this.#evaluate(this.prepared.dataset.test, transparentGates, observe));
  }

  /** With test-time gates, on held-out images where there are some. */
  #heldOut(): Promise<Evaluation> {
    const { dataset } = this.prepared;
    return this.#evaluate(dataset.validation ?? dataset.test, testTimeGates);
  }

  async #epoch(summary: EpochSummary): Promise<void> {
    // Stopped between an epoch's entry and what follows it, a run comes here again.
    if (this.record.epochs.at(-1)?.epoch === summary.epoch) return;
    const { dataset, phases } = this.prepared;
    const { waitingForData } = summary;
    const split = dataset.validation ? ("validation" as const) : ("test" as const);
    const { quantizes, to } = first(phases);
    if (!quantizes && summary.epoch === to) await this.#evaluateFloat();
    const entry = epochEntry(this.prepared, summary, { split, ...(await this.#heldOut()) });
    const epochSeconds = (performance.now() - this.#lastEpochAt) / 1000;
    this.#lastEpochAt = performance.now();
    const damaged = allDamaged(this.record, dataset);
    this.#saved.record = withEpoch(this.record, entry, { epochSeconds, waitingForData, damaged });
    this.context.reporter.info(epochLine(this.record, epochsOf(phases)));
    this.#watch.loss(this.record);
    this.#watch.epoch(this.record.epochs);
  }
}
