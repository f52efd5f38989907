import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { mean } from "../core/mean.ts";
import type { Progress, Reporter } from "../core/progress.ts";
import type { ByteBatch } from "../data/dataset.ts";
import { costModel } from "../methods/autoq/cost-model.ts";
import { createSpace } from "../methods/autoq/create-space.ts";
import { GreedySearch } from "../methods/autoq/greedy-search.ts";
import { KernelSearch } from "../methods/autoq/kernel-search.ts";
import { LayerSearch } from "../methods/autoq/layer-search.ts";
import { randomSearch } from "../methods/autoq/random-search.ts";
import type { Searcher, SearchProblem } from "../methods/autoq/search-problem.ts";
import { policyOf } from "../methods/autoq/search-space.ts";
import { type Found, TrackedSearch } from "../methods/autoq/tracked-search.ts";
import { mergeBatchNorm, mergeValues } from "../methods/layerwise/merge-batch-norm.ts";
import type { WidthSearch } from "../methods/method.ts";
import { layersOf } from "../network/layers.ts";
import { matrixOf } from "../network/weight-matrix.ts";
import { gatedNodes } from "../quantizers/gated-nodes.ts";
import { insertQuantizers } from "../quantizers/insert-quantizers.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { SearchName, SearchRecord } from "../runs/search-schema.ts";
import { putUnder, takeUnder } from "../runs/stored-tensors.ts";
import { gainOf, type Metrics, mainMetric, mainValue, namedText } from "../tasks/metric.ts";
import { holdImages } from "../training/analysis/held-images.ts";
import { readCalibrationImages } from "../training/layerwise/calibration-images.ts";
import { createModel, type Model } from "../training/model.ts";
import { epochsOf, phaseAt } from "../training/phases.ts";
import { PolicyEvaluator } from "../training/search/policy-evaluator.ts";
import { settlePolicy } from "../training/search/settle-policy.ts";
import { allParameterValues, parameterValues } from "../training/snapshot.ts";
import type { Prepared } from "./prepare.ts";
import type { SavedRun } from "./saved-run.ts";

/** Where checkpoints in the middle of a search have it. */
const prefix = "search/";

/** Training images that ranges of activations are found from. */
const CALIBRATION = 256;

/** Share of the extrinsic reward in that of kernels: AutoQ's. */
const zeta = { from: 0.1, to: 0.8 } as const;

interface SearchHooks {
  readonly progress: Progress;
  warn(message: string): void;
  info(message: string): void;
  /** Between two policies: throws to end there. */
  pause(): Promise<void>;
  /** After each policy, which took so many seconds: time for a checkpoint, if one is due. */
  measured(name: SearchName, seconds: number): void;
}

/** What a run does before quantizers train: it searches for bit-widths, and sets the best into them. */
export class SearchRun {
  readonly #prepared: Prepared;
  readonly #search: WidthSearch;
  /** Those that are under way or done, by name. */
  readonly #searches = new Map<SearchName, TrackedSearch>();
  /** Of a checkpoint, as long as its searches have not gone on. */
  #stored: ReadonlyMap<string, StoredTensor> = new Map();

  constructor(prepared: Prepared, search: WidthSearch) {
    this.#prepared = prepared;
    this.#search = search;
  }

  /** The searches, while they go on. */
  get tensors(): ReadonlyMap<string, StoredTensor> {
    const now = Array.from(this.#searches).flatMap(([name, { tensors }]) => [
      ...putUnder(`${prefix}${name}/`, tensors),
    ]);
    return new Map([...this.#stored, ...now]);
  }

  /** Takes up what a checkpoint has under {@link tensors}. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#stored = putUnder(prefix, takeUnder(prefix, tensors));
  }

  /** Where quantizers train from now on, and the widths that they train with are yet to be found: finds them. */
  async runWhereDue(saved: SavedRun, { progress, info }: Reporter): Promise<void> {
    const { phases, config } = this.#prepared;
    if (saved.record.search !== undefined || !phaseAt(phases, saved.position.epoch).quantizes) return;
    const search = await this.#run({
      ...{ progress, info, pause: () => saved.hearSignals(), warn: (message) => saved.warn(message) },
      measured: (name, seconds) => {
        saved.addSearchTime(name, seconds);
        if (saved.isOverdue(config.checkpoint)) saved.save();
      },
    });
    saved.record = { ...saved.record, search };
    this.#stored = new Map();
    saved.save();
    progress.start("training", epochsOf(phases));
  }

  /** The model's quantizers then have the widths of the best policy. */
  async #run(hooks: SearchHooks): Promise<SearchRecord> {
    const { config, model, task, engine, dataset } = this.#prepared;
    const { images: most } = this.#search;
    const { ops } = engine;
    const { evaluationBatchSize: batchSize } = config.data;
    const held = await holdImages(dataset, { most, batchSize, seed: config.seed, pause: hooks.pause });
    if (held.split.count < most)
      hooks.warn(`searched on all ${held.split.count} held-out images: method.images is ${most}`);
    const images: ByteBatch[] = [];
    for await (const batch of held.split.batches({ batchSize })) images.push(batch);
    const calibration = await readCalibrationImages(dataset, { images: CALIBRATION, seed: config.seed });
    const float = this.#float();
    let evaluator: PolicyEvaluator | null = null;
    try {
      evaluator = new PolicyEvaluator({
        ...{ float, task, images, calibration, normalization: dataset.normalization },
        quantized: insertQuantizers(float.network, { quantizeAddends: this.#search.quantizeAddends }),
        gated: gatedNodes(model.network),
        activationWidths: this.#search.activationWidths,
      });
      const problem = this.#problem(float, this.#score(evaluator.evaluate(null)));
      await this.#measureAll(problem, evaluator, hooks);
      const [own] = this.#names;
      const { best } = lookup(this.#searches, own);
      if (best === null) throw new Error(`${own} has found nothing`);
      this.#warnIfBeaten(best, hooks);
      const rounded = settlePolicy(model, evaluator, policyOf(problem.space, best.decisions));
      return { images: held.split.count, rounded, ...this.#record(problem, best) };
    } finally {
      evaluator?.dispose();
      for (const variable of float.parameters.values()) ops.dispose(variable);
      // Where it was stopped, they go into a checkpoint.
      this.#stored = this.tensors;
      for (const search of this.#searches.values()) search.dispose();
      this.#searches.clear();
    }
  }

  /** The method's own first. */
  get #names(): readonly [SearchName, ...SearchName[]] {
    return [this.#search.level === "kernel" ? "autoq" : "haq", "random", "greedy"];
  }

  async #measureAll(problem: SearchProblem, evaluator: PolicyEvaluator, hooks: SearchHooks): Promise<void> {
    const names = this.#names;
    hooks.progress.start("searching", names.length * problem.episodes);
    for (const [index, name] of names.entries()) {
      const search = new TrackedSearch(problem, this.#create(name, problem));
      const stored = takeUnder(`${prefix}${name}/`, this.#stored);
      if (stored.size > 0) search.restore(stored);
      this.#searches.set(name, search);
      while (!search.isDone) {
        await hooks.pause();
        const startedAt = performance.now();
        search.tell(this.#score(evaluator.evaluate(policyOf(problem.space, search.ask()))));
        hooks.progress.update(index * problem.episodes + search.episodes.length, this.#describe(name, search.best));
        hooks.measured(name, (performance.now() - startedAt) / 1000);
      }
      hooks.info(`${search.episodes.length} policies: ${this.#describe(name, search.best)}`);
    }
  }

  #create(name: SearchName, problem: SearchProblem): Searcher {
    const { ops } = this.#prepared.engine;
    switch (name) {
      case "autoq":
        return new KernelSearch(ops, problem);
      case "haq":
        return new LayerSearch(ops, problem);
      case "random":
        return randomSearch(problem);
      case "greedy":
        return new GreedySearch(problem);
    }
  }

  /** The network that is deployed, in float32: batch normalization in weights and biases. */
  #float(): Model {
    const { config, engine, plain, model } = this.#prepared;
    const { seed } = config;
    const values = { parameters: allParameterValues(model), statistics: model.statistics };
    const initial = mergeValues(plain, values);
    return createModel(mergeBatchNorm(plain), { ops: engine.ops, seed, quantizers: new Map(), initial });
  }

  #problem(float: Model, score: number): SearchProblem {
    const { model, config, task } = this.#prepared;
    const { episodes, warmup, objective, target } = this.#search;
    const weights = new Map(
      layersOf(float.network).map((layer) => [layer.name, matrixOf(layer, parameterValues(float, layer.weight))]),
    );
    const space = createSpace(model.network, weights, this.#search);
    const { seed } = config;
    const reference = { score, isShare: mainMetric(task.description).isShare };
    return { space, costs: costModel(space, target), objective, episodes, warmup, zeta, seed, float: reference };
  }

  #score(metrics: Metrics): number {
    const { description } = this.#prepared.task;
    return gainOf(mainMetric(description), mainValue(description, metrics));
  }

  #record(problem: SearchProblem, { decisions, goals }: Found): Omit<SearchRecord, "images" | "rounded"> {
    const { space, costs, float, objective } = problem;
    const { weights, activations } = policyOf(space, decisions);
    return {
      floatScore: float.score,
      unit: "relativeBops" in this.#search.target ? "relativeBops" : "sizeBytes",
      limit: objective.name === "resource-constrained" ? costs.limit : null,
      searches: this.#names.map((name) => {
        const { episodes, best } = lookup(this.#searches, name);
        return { name, episodes: [...episodes], best: best && asRecorded(best) };
      }),
      layers: space.layers.map(({ name }, layer) => ({
        name,
        goal: goals[layer] ?? null,
        achieved: mean(at(weights, layer)),
        activation: at(activations, layer),
      })),
    };
  }

  #warnIfBeaten(best: Found, { warn }: SearchHooks): void {
    for (const name of this.#names.slice(1)) {
      const other = lookup(this.#searches, name).best;
      if (other !== null && other.reward > best.reward)
        warn(`${this.#describe(name, other)}, which is better than what is trained with: raise method.episodes`);
    }
  }

  /** `autoq: best top-1 97.30 % at 1.2 % of bit operations`. */
  #describe(name: SearchName, best: Found | null): string {
    if (best === null) return `${name}: nothing within the budget yet`;
    const metric = mainMetric(this.#prepared.task.description);
    const cost = Number(best.cost.toPrecision(4));
    const unit = "relativeBops" in this.#search.target ? "% of bit operations" : "bytes";
    return `${name}: best ${namedText({ ...metric, value: gainOf(metric, best.score) })} at ${cost} ${unit}`;
  }
}

const asRecorded = ({ score, cost, reward, episode }: Found) => ({ score, cost, reward, episode });
