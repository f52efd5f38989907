import { lookup } from "../core/lookup.ts";
import { elementTypeNamed } from "../onnx/element-types.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { cutModel, frontier, type GivenValue } from "./cut-model.ts";
import type { FileGraph } from "./file-graph.ts";
import { KeptValues } from "./kept-values.ts";
import { openInside } from "./open-inside.ts";
import { type Calibration, type OpenModel, openModel, type Weights } from "./open-weights.ts";
import type { RunSize } from "./samples.ts";
import type { WeightSite } from "./weight-site.ts";

interface Frontier {
  readonly given: ReadonlyMap<string, GivenValue>;
  readonly kept: KeptValues;
}

/** What a run of a part gives. */
interface WalkRun {
  readonly results: ReadonlyMap<string, RuntimeTensor>;
  /** Of the frontier; may have more than was asked for. */
  readonly known: ReadonlyMap<string, RuntimeTensor>;
  readonly inputs: Readonly<Record<string, RuntimeTensor>>;
  readonly run: RunSize;
}

/**
 * Walks through a model from layer to layer, and gives what those read on samples. What stands for all that was walked
 * through is kept, so that it is not run again: one pass in all, where each layer would take one.
 *
 * What is given depends on the weights and the layers alone: a walk that was stopped, and is walked anew with the weights
 * that were known, gives the same numbers.
 */
export class LayerWalk implements AsyncDisposable {
  readonly #open: OpenModel;
  readonly #calibration: Calibration;
  readonly #file: string;
  #frontier: Frontier = { given: new Map(), kept: new KeptValues() };

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
    const frontierOf = new Map<string, GivenValue>();
    const staying = values.filter((name) => given.has(name));
    const kept = new KeptValues();
    // Without room it stays where it is.
    let unused = kept;
    try {
      let fits = true;
      await this.#run({ made, weights, known: staying }, async (run) => {
        const all = new Map([...run.results, ...staying.map((name) => [name, lookup(run.known, name)] as const)]);
        for (const [name, { type, dims }] of all) {
          const element = elementTypeNamed(type);
          if (element === null) fits = false;
          else frontierOf.set(name, { type: element, dims: inAllRuns(frontierOf.get(name)?.dims, dims) });
        }
        fits &&= await kept.add(all);
        return fits;
      });
      if (fits) {
        unused = this.#frontier.kept;
        this.#frontier = { given: frontierOf, kept };
      }
    } finally {
      await unused[Symbol.asyncDispose]();
    }
  }

  /** Shows what layers read, run by run. */
  async read(
    layers: readonly WeightSite[],
    weights: Weights,
    see: (layer: WeightSite, tensor: RuntimeTensor, run: RunSize) => void,
  ): Promise<void> {
    const values = [...new Set(layers.map(this.#open.readOf))];
    const { given } = this.#frontier;
    const inputs = new Set(this.#open.model.graph.input.map(({ name }) => name));
    const made = values.filter((name) => !given.has(name) && !inputs.has(name));
    await this.#run({ made, weights, known: values }, async ({ results, known, inputs: own, run }) => {
      for (const layer of layers) {
        const name = this.#open.readOf(layer);
        see(layer, own[name] ?? known.get(name) ?? lookup(results, name), run);
      }
      return true;
    });
  }

  /**
   * @param known Which values of the frontier are shown too.
   * @param see Gets what is made, run by run; false ends it.
   */
  async #run(
    {
      made,
      weights,
      known: shown,
    }: { readonly made: readonly string[]; readonly weights: Weights; readonly known: readonly string[] },
    see: (run: WalkRun) => Promise<boolean>,
  ): Promise<void> {
    const { model, inputs: weightInputs, own } = this.#open;
    const { given, kept } = this.#frontier;
    const part = cutModel(model, { given, wanted: made });
    const wanted = new Set(part.graph.input.map(({ name }) => name));
    const fixed: Record<string, RuntimeTensor> = { ...own };
    for (const [key, tensor] of weights) fixed[lookup(weightInputs, key)] = tensor;
    const { samples, order } = this.#calibration;
    await using session = made.length > 0 ? await openInside(part, [], this.#file) : null;
    let index = 0;
    for await (const { inputs, batch, count } of samples.batches(order)) {
      const known = await kept.ofRun(index++, new Set([...wanted, ...shown]));
      const all = { ...fixed, ...inputs, ...Object.fromEntries(known) };
      const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
      const results = session === null ? new Map() : await session.run(feeds, made);
      if (!(await see({ results, known, inputs, run: { batch, count } }))) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frontier.kept[Symbol.asyncDispose]();
  }
}

/** Sizes as those of the runs before; null: another one than in those. */
const inAllRuns = (before: GivenValue["dims"] | undefined, dims: readonly number[]): GivenValue["dims"] =>
  dims.map((size, axis) => (before === undefined || before[axis] === size ? size : null));
