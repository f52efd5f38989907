import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import { lookup } from "../core/lookup.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { meanWidth, parseWidths, type WeightWidths, widthBytes, widthsText } from "../quantization/weight-widths.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { budgetWidths, type HarmChoice, type HarmTable } from "./harm-table.ts";
import { type Memo, recalled } from "./memo.ts";
import { mixedRows } from "./mixed-rows.ts";
import { type OutputError, relativeError } from "./output-error.ts";
import { landmarksOf, withMeasured, withRowChoices } from "./row-choices.ts";
import { type RowErrors, type RowWidths, rowErrors } from "./row-errors.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { decoded, type SolveOptions, solveSites } from "./solve-sites.ts";
import { distinctWeights, readersOf, type WeightSite, weightKey } from "./weight-site.ts";

/** The values of each weight with the bits of a choice of it, by key. */
export type Candidates = ReadonlyMap<string, (bits: number) => RuntimeTensor>;

export interface MeasureOptions
  extends Omit<SolveOptions, "bitsOf" | "calibration" | "method" | "ops" | "seed" | "inputs" | "grids"> {
  /** Widths that are not to be chosen, by layer. */
  fixed(site: WeightSite): WeightWidths | null;
  /** What finds codes of less than 8 bits; null: rounding. */
  readonly solver: Pick<SolveOptions, "method" | "ops" | "seed"> | null;
  readonly calibration: SolveOptions["calibration"] | null;
  /** What measures harms; null: there is no data, and a harm is the weight's own error. */
  readonly error: OutputError | null;
  /** Which output channels have widths of their own; undefined: weights have one each. */
  readonly rows: RowWidths | undefined;
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
  const { sites, error, memo, watch, fixed, storedBytes } = options;
  const distinct = distinctWeights(sites);
  const solved = await solvedAtAll(graph, options, distinct);
  const free = distinct.filter((site) => fixed(site) === null).map(weightKey);
  const errors = await errorsOfRows(graph, new Map(free.map((key) => [key, lookup(solved, key)])), options);
  watch.stage("measuring widths", distinct.length);
  const candidates = new Map<string, (bits: number) => RuntimeTensor>();
  const weights: HarmTable["weights"] = [];
  for (const site of distinct) {
    const key = weightKey(site);
    const numbers = site.values.length;
    const found = lookup(solved, key);
    const tensors = new Map(found.map((one) => [meanWidth(one.bits), decoded(one)]));
    const harmOf = async (bits: number, tensor: RuntimeTensor) =>
      error === null
        ? weightError(site.values, tensor)
        : await recalled(memo, `harm ${bits} ${key}`, () => error.with(new Map([[key, tensor]])));
    const measured: HarmChoice[] = [];
    for (const one of found) {
      const bits = meanWidth(one.bits);
      const harm = await harmOf(bits, lookup(tensors, bits));
      const channelBits = typeof one.bits === "number" ? {} : { channelBits: widthsText(one.bits) };
      measured.push({ bits, ...channelBits, bytes: widthBytes(one.bits, numbers), stored: storedBytes(one), harm });
    }
    const rows = errors?.get(key);
    const told = rows === undefined ? measured : withRowChoices(measured, rows, { solved: found, storedBytes });
    const values = valuesOf(site, tensors, told);
    const harms = new Map(told.flatMap((choice) => (choice.channelBits === undefined ? [[choice, choice.harm]] : [])));
    for (const choice of rows === undefined ? [] : landmarksOf(told)) {
      harms.set(choice, await harmOf(choice.bits, values(choice.bits)));
    }
    await watch.done(weights.length, site.name);
    candidates.set(key, values);
    const choices = rows === undefined ? measured : withMeasured(told, harms);
    weights.push({ key, layers: [...readersOf(sites, key)], numbers, choices });
  }
  return { weights, candidates };
}

/** The values of each choice of a weight. Those of rows of several widths are put together when they are asked for; the last stay. */
function valuesOf(
  { layout }: WeightSite,
  tensors: ReadonlyMap<number, RuntimeTensor>,
  choices: readonly HarmChoice[],
): (bits: number) => RuntimeTensor {
  const mixed = new Map(
    choices.flatMap(({ bits, channelBits }) => (channelBits === undefined ? [] : [[bits, channelBits]])),
  );
  let last: { readonly bits: number; readonly tensor: RuntimeTensor } | null = null;
  return (bits) => {
    const known = tensors.get(bits);
    if (known !== undefined) return known;
    if (last?.bits !== bits) {
      const widths = parseWidths(lookup(mixed, bits));
      const values = new Map(Array.from(tensors, ([width, tensor]) => [width, floatsOf(tensor)]));
      last = { bits, tensor: FileSession.tensor(mixedRows(layout, widths, values), layout.dims) };
    }
    return last.tensor;
  };
}

/** Each weight at every width that it may get. */
async function solvedAtAll(
  graph: FileGraph,
  { fixed, solver, calibration, error: _, rows: __, storedBytes: ___, ...options }: MeasureOptions,
  sites: readonly WeightSite[],
): Promise<ReadonlyMap<string, readonly SolvedSite[]>> {
  const found = new Map<string, SolvedSite[]>(sites.map((site) => [weightKey(site), []]));
  const solveAt = async (wanted: readonly WeightSite[], bitsOf: (site: WeightSite) => WeightWidths, stage: string) => {
    const solved =
      solver === null || calibration === null || wanted.length === 0
        ? wanted.map((site) => roundSite(site, bitsOf(site)))
        : (
            await solveSites(graph, {
              ...{ ...options, ...solver, sites: wanted, calibration, bitsOf, stage },
              // Layers see the file that went in.
              ...{ inputs: "float", grids: new Map() },
            })
          ).values();
    for (const one of solved) lookup(found, weightKey(one.site)).push(one);
  };
  const own = sites.filter((site) => fixed(site) !== null && !isBudgetWidth(fixed(site)));
  await solveAt(own, (site) => fixed(site) ?? 8, "solving at given bits");
  for (const bits of budgetWidths) {
    const wanted = sites.filter((site) => (fixed(site) ?? bits) === bits);
    if (bits < 8) await solveAt(wanted, () => bits, `solving at ${bits} bits`);
    // What is gained over rounding at 8 bits is no choice's business.
    else for (const site of wanted) lookup(found, weightKey(site)).push(roundSite(site, bits));
  }
  return found;
}

const isBudgetWidth = (bits: WeightWidths | null): boolean => budgetWidths.some((width) => width === bits);

/** What each output channel loses, by width; null where all of a weight's have one. */
async function errorsOfRows(
  graph: FileGraph,
  solved: ReadonlyMap<string, readonly SolvedSite[]>,
  { rows, sites, calibration, file, watch }: MeasureOptions,
): Promise<ReadonlyMap<string, RowErrors> | null> {
  if (rows === undefined) return null;
  return rowErrors(graph, { ...rows, sites, calibration, file, watch, solved });
}

/** Of a weight alone. */
const weightError = (values: Float32Array, tensor: RuntimeTensor): number =>
  relativeError([values], [floatsOf(tensor)]);

function floatsOf({ data }: RuntimeTensor): Float32Array {
  if (!(data instanceof Float32Array)) throw new Error("a weight is float32");
  return data;
}
