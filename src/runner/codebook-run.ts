import { last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { Reporter } from "../core/progress.ts";
import { requireImages } from "../data/require-images.ts";
import type { Variable } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import type { Clustering } from "../methods/method.ts";
import { layersOf } from "../network/layers.ts";
import type { CodebooksRecord } from "../runs/codebooks-schema.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { Metrics } from "../tasks/metric.ts";
import type { Task } from "../tasks/task.ts";
import { readCalibrationImages } from "../training/layerwise/calibration-images.ts";
import { clusterLayers } from "../training/layerwise/cluster-layers.ts";
import { finetuneCodebook } from "../training/layerwise/finetune-codebook.ts";
import { imitating } from "../training/layerwise/teacher.ts";
import type { LoopHooks } from "../training/loop.ts";
import { testTimeGates } from "../training/pass.ts";
import { parameterValues } from "../training/snapshot.ts";
import { evaluateInPhase } from "./evaluate-in-phase.ts";
import type { Prepared } from "./prepare.ts";
import type { SavedRun } from "./saved-run.ts";
import { watchProgress } from "./watch-progress.ts";

/** Where checkpoints have what of the float network changes: running statistics, and biases that are set right. */
const prefix = "float";

/** What a run does before codebooks learn together: it makes them, layer by layer, with a checkpoint after each. */
export class CodebookRun implements Disposable {
  /** What codebooks learn: what the float network says of the images. */
  readonly task: Task;
  readonly #prepared: Prepared;
  readonly #clustering: Clustering;
  /** The float network's: the rest of it stays in the parameters. */
  readonly #statistics: ReadonlyMap<NodeId, RunningStatistics>;
  readonly #biases: ReadonlyMap<NodeId, Variable>;

  constructor(prepared: Prepared, clustering: Clustering) {
    const { model, plain, dataset, task } = prepared;
    this.#prepared = prepared;
    this.#clustering = clustering;
    this.#statistics = copied(model.statistics);
    const shifts = layersOf(model.network).flatMap(({ shift }) => (shift?.kind === "bias" ? [shift.inputs[1]] : []));
    this.#biases = new Map(
      shifts.map((id) => [
        id,
        model.ops.variable(`${prefix}/${id}`, parameterValues(model, id), lookup(model.parameters, id).shape),
      ]),
    );
    const parameters = new Map([...model.parameters, ...this.#biases]);
    const teacher = { ...model, network: plain, quantizers: new Map(), parameters, statistics: this.#statistics };
    this.task = imitating(task, teacher, dataset);
  }

  [Symbol.dispose](): void {
    for (const variable of this.#biases.values()) this.#prepared.model.ops.dispose(variable);
  }

  /** Takes the network as it stands for the float one. */
  begin(floatMetrics: Metrics): CodebooksRecord {
    const { model } = this.#prepared;
    this.#take((id) => parameterValues(model, id), model.statistics);
    return { images: 0, floatMetrics, metrics: null, layers: [] };
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const { ops } = this.#prepared.model;
    const stored = (name: string, values: Float32Array) =>
      [`${prefix}/${name}`, { shape: [values.length], values }] as const;
    return new Map([
      ...Array.from(this.#biases.keys(), (id) => stored(id, parameterValues({ ops, parameters: this.#biases }, id))),
      ...Array.from(this.#statistics).flatMap(([id, { mean, variance }]) => [
        stored(`${id}/mean`, mean),
        stored(`${id}/variance`, variance),
      ]),
    ]);
  }

  /** Takes up what a checkpoint has under {@link tensors}. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const valuesOf = (name: string) => Float32Array.from(lookup(tensors, `${prefix}/${name}`).values);
    this.#take(
      valuesOf,
      new Map(
        Array.from(this.#statistics.keys(), (id) => [
          id,
          { mean: valuesOf(`${id}/mean`), variance: valuesOf(`${id}/variance`) },
        ]),
      ),
    );
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
    const { config, dataset, model } = this.#prepared;
    const { seed } = config;
    const clustering = this.#clustering;
    const { calibration } = clustering;
    const readFrom = () => requireImages(dataset, `method.name: ${config.method.name}`);
    const images = calibration && (await readCalibrationImages(readFrom(), { images: calibration.images, seed }));
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
          ...{ dataset, seed, watch, pause },
          finetune: clustering.finetune,
          task: this.task,
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

  #take(biasOf: (id: NodeId) => Float32Array, statistics: ReadonlyMap<NodeId, RunningStatistics>): void {
    for (const [id, variable] of this.#biases) this.#prepared.model.ops.assign(variable, biasOf(id));
    for (const [id, { mean, variance }] of statistics) {
      lookup(this.#statistics, id).mean.set(mean);
      lookup(this.#statistics, id).variance.set(variance);
    }
  }
}

const copied = (statistics: ReadonlyMap<NodeId, RunningStatistics>): ReadonlyMap<NodeId, RunningStatistics> =>
  new Map(
    Array.from(statistics, ([id, { mean, variance }]) => [id, { mean: mean.slice(), variance: variance.slice() }]),
  );

/** The log's line of a layer that was clustered. */
function describeLayer(layer: CodebooksRecord["layers"][number], seconds: number): string {
  const { name, blockSize, centroids, objective, finetuned, notes } = layer;
  const lost = `${(100 * last(objective)).toPrecision(3)} % lost after ${objective.length} iterations`;
  const learned =
    finetuned && `, divergence ${finetuned.lossBefore.toPrecision(3)} to ${finetuned.lossAfter.toPrecision(3)}`;
  const asked = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return `${name}: ${centroids} centroids of ${blockSize}${asked}, ${lost}${learned ?? ""}, ${seconds.toFixed(1)} s`;
}
