import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";
import { storedBits } from "../quantization/levels.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { budgetWidths, type HarmTable } from "./harm-table.ts";
import { type Memo, recalled } from "./memo.ts";
import { type OutputError, relativeError } from "./output-error.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { decoded, type SolveOptions, solveSites } from "./solve-sites.ts";
import { distinctWeights, readersOf, type WeightSite, weightKey } from "./weight-site.ts";

/** The values of each weight at each width, by key. */
export type Candidates = ReadonlyMap<string, ReadonlyMap<WeightBits, RuntimeTensor>>;

export interface MeasureOptions
  extends Omit<SolveOptions, "bitsOf" | "calibration" | "method" | "ops" | "seed" | "inputs" | "grids"> {
  /** Widths that are not to be chosen, by layer. */
  fixed(site: WeightSite): WeightBits | null;
  /** What finds codes of less than 8 bits; null: rounding. */
  readonly solver: Pick<SolveOptions, "method" | "ops" | "seed"> | null;
  readonly calibration: SolveOptions["calibration"] | null;
  /** What measures harms; null: there is no data, and a harm is the weight's own error. */
  readonly error: OutputError | null;
  /** Bytes that the file holds for a solved weight. */
  storedBytes(solved: SolvedSite): number;
}

/** What measures plans. */
export interface Measuring {
  readonly error: OutputError;
  readonly candidates: Candidates;
  /** What stands on a grid where activations have the widths of a plan. */
  gridsAt(widths: readonly ActivationBits[]): ReadonlyMap<string, ActivationGrid>;
  readonly memo: Memo;
}

/**
 * Measures what each width of each weight does to the network's outputs, with the codes that the method finds where layers
 * see the float file.
 */
export async function measureHarms(
  graph: FileGraph,
  options: MeasureOptions,
): Promise<{ readonly weights: HarmTable["weights"]; readonly candidates: Candidates }> {
  const { sites, error, memo, watch, storedBytes } = options;
  const distinct = distinctWeights(sites);
  const solvedAt = await solvedAtAll(graph, options, distinct);
  watch.stage("measuring widths", distinct.length);
  const candidates = new Map<string, Map<WeightBits, RuntimeTensor>>();
  const weights: HarmTable["weights"] = [];
  for (const site of distinct) {
    const key = weightKey(site);
    const choices: HarmTable["weights"][number]["choices"] = [];
    const tensors = new Map<WeightBits, RuntimeTensor>();
    const numbers = site.values.length;
    for (const solved of solvedAt.get(key) ?? []) {
      const { bits } = solved;
      const tensor = decoded(solved);
      tensors.set(bits, tensor);
      const harm =
        error === null
          ? weightError(site.values, tensor)
          : await recalled(memo, `harm ${bits} ${key}`, () => error.with(new Map([[key, tensor]])));
      choices.push({ bits, bytes: (numbers * storedBits(bits)) / 8, stored: storedBytes(solved), harm });
    }
    await watch.done(weights.length, site.name);
    candidates.set(key, tensors);
    weights.push({ key, layers: [...readersOf(sites, key)], numbers, choices });
  }
  return { weights, candidates };
}

/** Each weight at every width that it may get. */
async function solvedAtAll(
  graph: FileGraph,
  { fixed, solver, calibration, error: _, storedBytes: __, ...options }: MeasureOptions,
  sites: readonly WeightSite[],
): Promise<ReadonlyMap<string, readonly SolvedSite[]>> {
  const found = new Map<string, SolvedSite[]>(sites.map((site) => [weightKey(site), []]));
  const widths = new Set<WeightBits>([...budgetWidths, ...sites.flatMap((site) => fixed(site) ?? [])]);
  for (const bits of [...widths].sort((a, b) => a - b)) {
    const wanted = sites.filter(
      (site) => (fixed(site) ?? bits) === bits && (fixed(site) !== null || isBudgetWidth(bits)),
    );
    // What is gained over rounding at 8 bits is no choice's business.
    const solved =
      solver === null || calibration === null || bits === 8
        ? wanted.map((site) => roundSite(site, bits))
        : (
            await solveSites(graph, {
              ...options,
              ...solver,
              sites: wanted,
              calibration,
              bitsOf: () => bits,
              stage: `solving at ${bits} bits`,
              // Layers see the file that went in.
              ...{ inputs: "float", grids: new Map() },
            })
          ).values();
    for (const one of solved) found.get(weightKey(one.site))?.push(one);
  }
  return found;
}

const isBudgetWidth = (bits: WeightBits): boolean => budgetWidths.some((width) => width === bits);

/** Of a weight alone. */
function weightError(values: Float32Array, { data }: RuntimeTensor): number {
  if (!(data instanceof Float32Array)) throw new Error("a weight is float32");
  return relativeError([values], [data]);
}
