import { lookup } from "../core/lookup.ts";
import { mean } from "../core/mean.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { type Calibration, OpenWeights, type Weights } from "./open-weights.ts";
import { countedOf } from "./output-numbers.ts";
import type { WeightSite } from "./weight-site.ts";

type Grids = ReadonlyMap<string, ActivationGrid>;
type Numbers = Float32Array | Float64Array;

/** What stands for an output that is not finite, or whose sizes differ. */
const RUINED = 1e6;

/**
 * How far the outputs of a model are from those with its own weights: Σ (y - ŷ)² / Σ y² of each output over the samples,
 * the mean over outputs. 0.001 is 30 dB.
 */
export class OutputError implements AsyncDisposable {
  readonly #open: OpenWeights;
  /** Opens the model with activations on grids. */
  readonly #openOn: (grids: Grids) => Promise<OpenWeights>;
  /** The one of the last grids. */
  #onGrids: { readonly key: string; readonly open: OpenWeights } | null = null;
  readonly #calibration: Calibration;
  /** By output, run by run. */
  readonly #expected: ReadonlyMap<string, readonly Numbers[]>;

  private constructor(
    { open, openOn }: { readonly open: OpenWeights; readonly openOn: (grids: Grids) => Promise<OpenWeights> },
    calibration: Calibration,
    expected: ReadonlyMap<string, readonly Numbers[]>,
  ) {
    this.#open = open;
    this.#openOn = openOn;
    this.#calibration = calibration;
    this.#expected = expected;
  }

  /**
   * @param graph It stays as it is until this is closed, where activations are put on grids.
   * @param sites Whose weights may be others.
   */
  static async open(
    graph: FileGraph,
    {
      sites,
      calibration,
      file,
    }: { readonly sites: readonly WeightSite[]; readonly calibration: Calibration; readonly file: string },
  ): Promise<OutputError> {
    const openOn = (grids: Grids) => OpenWeights.open(graph, { sites, grids, file });
    const open = await openOn(new Map());
    try {
      return new OutputError({ open, openOn }, calibration, await outputsWith(open, calibration, new Map()));
    } catch (error) {
      await open[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Samples that it is measured on. */
  get samples(): number {
    return this.#calibration.order.length;
  }

  /** With other weights, and with activations on grids. */
  async with(weights: Weights, grids: Grids = new Map()): Promise<number> {
    const got = await outputsWith(await this.#opened(grids), this.#calibration, weights);
    const errors = Array.from(this.#expected, ([name, runs]) => relativeError(runs, lookup(got, name)));
    return mean(errors);
  }

  /** With the same grids several weights are measured: that session stays until others are wanted. */
  async #opened(grids: Grids): Promise<OpenWeights> {
    if (grids.size === 0) return this.#open;
    const key = JSON.stringify([...grids]);
    if (this.#onGrids?.key !== key) {
      await this.#closeOnGrids();
      this.#onGrids = { key, open: await this.#openOn(grids) };
    }
    return this.#onGrids.open;
  }

  async #closeOnGrids(): Promise<void> {
    const last = this.#onGrids;
    this.#onGrids = null;
    await last?.open[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeOnGrids();
    await this.#open[Symbol.asyncDispose]();
  }
}

async function outputsWith(
  open: OpenWeights,
  calibration: Calibration,
  weights: Weights,
): Promise<ReadonlyMap<string, readonly Numbers[]>> {
  const runs = new Map<string, Numbers[]>();
  await open.outputs(calibration, weights, (outputs, run) => {
    for (const [name, tensor] of outputs) {
      const values = countedOf(tensor, run);
      const list = runs.get(name);
      if (list) list.push(values);
      else runs.set(name, [values]);
    }
  });
  return runs;
}

/** Σ (y - ŷ)² / Σ y² over runs, y as expected; large where the sizes differ or ŷ is not finite. */
export function relativeError(expected: readonly Numbers[], got: readonly Numbers[]): number {
  let [signal, noise] = [0, 0];
  for (const [run, values] of expected.entries()) {
    const others = got[run];
    if (others?.length !== values.length) return RUINED;
    for (const [index, value] of values.entries()) {
      // What the file itself gives as infinite is its own.
      if (!Number.isFinite(value)) continue;
      const difference = value - (others[index] ?? Number.NaN);
      signal += value * value;
      noise += difference * difference;
    }
  }
  const error = noise / (signal > 0 ? signal : 1);
  return Number.isFinite(error) ? Math.min(error, RUINED) : RUINED;
}
