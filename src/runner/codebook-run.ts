import { last } from "../core/elements.ts";
import type { Reporter } from "../core/progress.ts";
import type { Clustering } from "../methods/method.ts";
import type { CodebooksRecord } from "../runs/codebooks-schema.ts";
import type { Metrics } from "../tasks/metric.ts";
import { readCalibrationImages } from "../training/layerwise/calibration-images.ts";
import { clusterLayers } from "../training/layerwise/cluster-layers.ts";
import { finetuneCodebook } from "../training/layerwise/finetune-codebook.ts";
import type { LoopHooks } from "../training/loop.ts";
import { testTimeGates } from "../training/pass.ts";
import { evaluateInPhase } from "./evaluate-in-phase.ts";
import type { Prepared } from "./prepare.ts";
import type { SavedRun } from "./saved-run.ts";
import { watchProgress } from "./watch-progress.ts";

/** What a run does before codebooks learn together: it makes them, layer by layer, with a checkpoint after each. */
export class CodebookRun {
  readonly #prepared: Prepared;
  readonly #clustering: Clustering;

  constructor(prepared: Prepared, clustering: Clustering) {
    this.#prepared = prepared;
    this.#clustering = clustering;
  }

  /** What the record says before the first layer. */
  begin(floatMetrics: Metrics): CodebooksRecord {
    return { images: 0, floatMetrics, metrics: null, layers: [] };
  }

  /** Clusters the layers that are left, and then says what came of it. */
  async runWhereDue(saved: SavedRun, reporter: Reporter, watch: LoopHooks["watch"]): Promise<void> {
    const { codebooks } = saved.record;
    if (codebooks === undefined || codebooks.metrics !== null) return;
    await this.#cluster(saved, codebooks, { reporter, watch });
    const options = { gatesOf: testTimeGates, pause: () => saved.hearSignals() };
    const { metrics } = await evaluateInPhase(this.#prepared, this.#prepared.dataset.test, options);
    saved.record = { ...saved.record, codebooks: { ...codebooks, ...saved.record.codebooks, metrics } };
    saved.save();
  }

  async #cluster(
    saved: SavedRun,
    before: CodebooksRecord,
    { reporter, watch }: { readonly reporter: Reporter; readonly watch: LoopHooks["watch"] },
  ): Promise<void> {
    const { config, dataset, model, task } = this.#prepared;
    const { seed } = config;
    const clustering = this.#clustering;
    const { calibration } = clustering;
    const images = calibration && (await readCalibrationImages(dataset, { images: calibration.images, seed }));
    if (calibration && images && images.count < calibration.images && before.layers.length === 0)
      saved.warn(
        `calibrated on all ${images.count} training images: method.calibration.images is ${calibration.images}`,
      );
    using progress = watchProgress(reporter.progress, () => saved.check());
    progress.stage("clustering", clustering.codebooks(model.network).size);
    const pause = () => saved.hearSignals();
    await clusterLayers(model, {
      ...{ clustering, images, seed, pause, hear: progress.done },
      done: new Set(before.layers.map(({ name }) => name)),
      finetune: (id) =>
        finetuneCodebook(model, id, {
          ...{ dataset, task, seed, watch, pause },
          finetune: clustering.finetune,
          batchSize: config.data.batchSize,
        }),
      layer({ planned: { notes, blockSize }, seconds, ...clustered }) {
        const { times, codebooks = before } = saved.record;
        const layer = { ...clustered, objective: [...clustered.objective], occupancy: [...clustered.occupancy] };
        const entry = { ...layer, blockSize, centroids: clustered.occupancy.length, notes: [...notes] };
        const layers = [...codebooks.layers, entry];
        saved.record = {
          ...saved.record,
          codebooks: { ...codebooks, images: images?.count ?? 0, layers },
          times: { ...times, layerSeconds: [...(times.layerSeconds ?? []), seconds] },
        };
        if (clustered.dead)
          saved.warn(
            `${clustered.name} sees only zeros on the calibration images: its codes are fitted to its weights alone`,
          );
        reporter.info(describeLayer(entry, seconds));
        saved.save();
      },
    });
  }
}

/** The log's line of a layer that was clustered. */
function describeLayer(layer: CodebooksRecord["layers"][number], seconds: number): string {
  const { name, blockSize, centroids, objective, finetuned, notes } = layer;
  const lost = `${(100 * last(objective)).toPrecision(3)} % lost after ${objective.length} iterations`;
  const learned =
    finetuned && `, divergence ${finetuned.lossBefore.toPrecision(3)} to ${finetuned.lossAfter.toPrecision(3)}`;
  const asked = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return `${name}: ${centroids} centroids of ${blockSize}${asked}, ${lost}${learned ?? ""}, ${seconds.toFixed(1)} s`;
}
