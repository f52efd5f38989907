import { lookup } from "../core/lookup.ts";
import { elementTypeNamed } from "../onnx/element-types.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { openInside } from "./calibrate-activations.ts";
import { cutModel, frontier, type GivenValue } from "./cut-model.ts";
import type { FileGraph } from "./file-graph.ts";
import { type Calibration, type OpenModel, openModel, type Weights } from "./open-weights.ts";
import type { RunSize } from "./samples.ts";
import type { WeightSite } from "./weight-site.ts";

/** Values of all samples at the frontier take no more: else it stays where it is. */
const FRONTIER_BYTES = 2 ** 27;

type Values = ReadonlyMap<string, RuntimeTensor>;

interface Frontier {
  readonly given: ReadonlyMap<string, GivenValue>;
  /** Run by run. */
  readonly runs: readonly Values[];
}

/**
 * Walks through a model from layer to layer, and gives what those read on samples. What stands for all that was walked
 * through is kept, so that it is not run again: one pass in all, where each layer would take one.
 *
 * What is given depends on the weights and the layers alone: a walk that was stopped, and is walked anew with the weights
 * that were known, gives the same numbers.
 */
export class LayerWalk {
  readonly #open: OpenModel;
  readonly #calibration: Calibration;
  readonly #file: string;
  #frontier: Frontier = { given: new Map(), runs: [] };

  /** @param sites Whose weights may be others than the file's. */
  constructor(
    graph: FileGraph,
    {
      calibration,
      file,
      ...options
    }: {
      readonly sites: readonly WeightSite[];
      readonly grids: ReadonlyMap<string, ActivationGrid>;
      readonly calibration: Calibration;
      readonly file: string;
    },
  ) {
    this.#open = openModel(graph, options);
    this.#calibration = calibration;
    this.#file = file;
  }

  /**
   * Goes on to the next layer: of what is before it all weights are known.
   *
   * @param unknown Weights that are not.
   * @param layers This layer, and all that come later.
   */
  async advance(
    layers: readonly WeightSite[],
    { weights, unknown }: { readonly weights: Weights; readonly unknown: ReadonlySet<string> },
  ): Promise<void> {
    const { model, inputs } = this.#open;
    const { given } = this.#frontier;
    const known = new Set([...model.graph.input.map(({ name }) => name), ...given.keys()]);
    for (const name of inputs.values()) known.delete(name);
    const unknownInputs = new Set(Array.from(unknown, (key) => lookup(inputs, key)));
    const values = frontier(model, { wanted: layers.map(this.#open.readOf), known, unknown: unknownInputs });
    const made = values.filter((name) => !known.has(name));
    if (made.length === 0) return;
    const kept = values.filter((name) => given.has(name));
    const runs: Values[] = [];
    const types = new Map<string, GivenValue>();
    let fits = true;
    await this.#run(made, weights, (results, { count }) => {
      for (const name of kept) results.set(name, lookup(this.#frontier.runs[runs.length] ?? new Map(), name));
      if (runs.length === 0) {
        for (const [name, { type, dims }] of results) {
          const known = elementTypeNamed(type);
          if (known === null) fits = false;
          else types.set(name, { type: known, rank: dims.length });
        }
        fits &&= bytesOf(results) * Math.ceil(this.#calibration.order.length / count) <= FRONTIER_BYTES;
      }
      runs.push(results);
      return fits;
    });
    if (fits && runs.length > 0) this.#frontier = { given: types, runs };
  }

  /** Shows what layers read, run by run. */
  async read(
    layers: readonly WeightSite[],
    weights: Weights,
    see: (layer: WeightSite, tensor: RuntimeTensor, run: RunSize) => void,
  ): Promise<void> {
    const values = [...new Set(layers.map(this.#open.readOf))];
    const { given, runs } = this.#frontier;
    const inputs = new Set(this.#open.model.graph.input.map(({ name }) => name));
    const made = values.filter((name) => !given.has(name) && !inputs.has(name));
    let index = 0;
    await this.#run(made, weights, (results, run, own) => {
      const known = runs[index++];
      for (const layer of layers) {
        const name = this.#open.readOf(layer);
        see(layer, own[name] ?? known?.get(name) ?? lookup(results, name), run);
      }
      return true;
    });
  }

  /** @param see Gets what is made, run by run; false ends it. */
  async #run(
    made: readonly string[],
    weights: Weights,
    see: (
      results: Map<string, RuntimeTensor>,
      run: RunSize,
      inputs: Readonly<Record<string, RuntimeTensor>>,
    ) => boolean,
  ): Promise<void> {
    const { model, inputs: weightInputs, own } = this.#open;
    const { given, runs } = this.#frontier;
    const part = cutModel(model, { given, wanted: made });
    const wanted = new Set(part.graph.input.map(({ name }) => name));
    const fixed: Record<string, RuntimeTensor> = { ...own };
    for (const [key, tensor] of weights) fixed[lookup(weightInputs, key)] = tensor;
    const { samples, order } = this.#calibration;
    await using session = made.length > 0 ? await openInside(part, [], this.#file) : null;
    let index = 0;
    for await (const { inputs, batch, count } of samples.batches(order)) {
      const all = { ...fixed, ...inputs, ...Object.fromEntries(runs[index++] ?? []) };
      const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
      const results = session === null ? new Map() : await session.run(feeds, made);
      if (!see(new Map(results), { batch, count }, inputs)) return;
    }
  }
}

const bytesOf = (values: Values): number =>
  Array.from(values.values()).reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0), 0);
