import { lookup } from "../core/lookup.ts";
import type { Watch } from "../core/progress.ts";
import { withHearing } from "../core/stepwise.ts";
import type { Ops } from "../engine/ops.ts";
import { elementsOf } from "../graph/shape.ts";
import { type LayerwiseSettings, solverOf } from "../methods/layerwise/create-layerwise.ts";
import type { CalibrationRows, LayerProblem } from "../methods/layerwise/layer-problem.ts";
import { usefulSteps } from "../methods/layerwise/useful-steps.ts";
import type { CalibrationInputs } from "../methods/method.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { decode, type WeightBits } from "../quantization/weight-grid.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { LayerWalk } from "./layer-walk.ts";
import type { Memo } from "./memo.ts";
import type { Calibration, Weights } from "./open-weights.ts";
import { forPlaces, placesOf } from "./sample-places.ts";
import { endingOf, isLinear } from "./site-patches.ts";
import { type SeenRows, SiteRows } from "./site-rows.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { keepSolved, recallSolved } from "./solved-memo.ts";
import { distinctWeights, fromRows, toRows, type WeightSite, weightKey } from "./weight-site.ts";

export interface SolveOptions {
  readonly sites: readonly WeightSite[];
  bitsOf(site: WeightSite): WeightBits;
  readonly method: LayerwiseSettings;
  /** What this is, for who waits. */
  readonly stage?: string;
  /** What layers see; left out: as the method has it. */
  readonly inputs?: CalibrationInputs;
  readonly grids: ReadonlyMap<string, ActivationGrid>;
  readonly calibration: Calibration;
  readonly ops: Ops;
  readonly seed: number;
  readonly file: string;
  readonly memo: Memo;
  readonly watch: Watch;
}

/** Numbers of one collection of rows: 128 MiB. */
const MOST_NUMBERS = 2 ** 25;

/**
 * Solves the weights of a file one layer after the other, each to give the float file's outputs on what it sees behind
 * those before it. Weights that no such problem fits are rounded to nearest; several sites that read one weight in one
 * way share the codes of the first.
 *
 * @returns By `weightKey`.
 */
export async function solveSites(graph: FileGraph, options: SolveOptions): Promise<ReadonlyMap<string, SolvedSite>> {
  const { bitsOf, method, grids, ops, seed, file, memo, watch } = options;
  const { inputs = method.calibration.inputs } = options;
  const sites = distinctWeights(options.sites);
  const shown = sites.filter(isSolvable);
  const solved = new Map<string, SolvedSite>();
  const add = (one: SolvedSite) => void solved.set(weightKey(one.site), one);
  if (shown.length === 0) {
    for (const site of sites) add(roundSite(site, bitsOf(site)));
    return solved;
  }
  const calibration = fewer(options.calibration, method.calibration.images);
  const walk = (own: ReadonlyMap<string, ActivationGrid>) =>
    new LayerWalk(graph, { sites: options.sites, grids: own, calibration, file });
  await using float = walk(new Map());
  await using prefix = inputs === "float" ? null : walk(inputs === "quantized" ? grids : new Map());
  const weights = new Map<string, RuntimeTensor>();
  watch.stage(options.stage ?? "solving layers", sites.length);
  // Layers that are looked at see those inside of subgraphs rounded, wherever they stand.
  const inner = sites.filter((site) => site.inner);
  const groups = byValue([...inner, ...sites.filter((site) => !site.inner)]).map((together) => ({
    together,
    known: together.map((site) => recallSolved(memo, { phase: inputs, site, bits: bitsOf(site) })),
  }));
  const lastLeft = groups.findLastIndex(({ known }) => known.includes(null));
  for (const [index, { together, known }] of groups.entries()) {
    // All of them, whatever is left: how many places are taken depends on how many layers share a pass.
    const linear = together.filter(isSolvable);
    if (linear.length > 0 && index <= lastLeft) {
      const later = groups.slice(index).flatMap((group) => group.together);
      const unknown = new Set(later.map(weightKey));
      const shown = later.filter(isSolvable);
      await float.advance(shown, { weights: new Map(), unknown });
      await prefix?.advance(shown, { weights, unknown });
    }
    for (const one of known) {
      if (one === null) continue;
      if (prefix !== null) weights.set(weightKey(one.site), decoded(one));
      add(one);
    }
    const left = together.filter((_, index) => known[index] === null);
    if (left.length === 0) continue;
    const samples = calibration.order.length;
    const choice = { places: placesOf(method.calibration, samples), seed, sites: linear, samples };
    const targets = linear.length > 0 ? await gather(float, { ...choice, weights: new Map() }) : new Map();
    const seen = prefix === null || linear.length === 0 ? targets : await gather(prefix, { ...choice, weights });
    for (const site of left) {
      const rows = rowsOf(graph, site, { seen: seen.get(site), floats: targets.get(site) }, ops);
      const bits = bitsOf(site);
      const hear = (share: number) => watch.done(solved.size + share, site.name);
      const one =
        rows === null
          ? roundSite(site, bits)
          : await solve(site, { ...rows, name: site.name, bits }, { method, ops, seed, hear });
      if (prefix !== null) weights.set(weightKey(site), decoded(one));
      add(one);
      if (rows !== null) keepSolved(memo, inputs, one);
    }
  }
  return solved;
}

/** The values that a solved weight stands for, as the model reads them. */
export function decoded({ site, codes, steps }: SolvedSite): RuntimeTensor {
  const rows = toRows(site.layout, Float32Array.from(codes));
  const values = decode(Int32Array.from(rows.values), steps, codes.length / steps.length);
  return FileSession.tensor(fromRows(site.layout, values), site.layout.dims);
}

const isSolvable = (site: WeightSite): boolean =>
  !site.inner && site.operator.data !== null && site.type === elementTypes.float && isLinear(site);

const fewer = ({ samples, order }: Calibration, most: number): Calibration => ({
  samples,
  order: order.subarray(0, most),
});

/** Sites that read the same value are solved from one pass over the samples. */
function byValue(sites: readonly WeightSite[]): readonly (readonly WeightSite[])[] {
  const groups = new Map<string, WeightSite[]>();
  for (const site of sites) {
    const { node, operator } = site;
    const value = operator.data === null ? `${weightKey(site)} alone` : (node.input[operator.data] ?? "");
    const group = groups.get(value);
    if (group) group.push(site);
    else groups.set(value, [site]);
  }
  return [...groups.values()];
}

async function gather(
  walk: LayerWalk,
  options: { sites: readonly WeightSite[]; places: number; seed: number; samples: number; weights: Weights },
): Promise<ReadonlyMap<WeightSite, SeenRows>> {
  const { sites, weights, seed, samples, places } = options;
  const collectors = new Map(
    sites.map((site) => {
      const { dims, axis, groups } = site.layout;
      const row = (groups * elementsOf(dims)) / (dims[axis] ?? 1);
      const most = Math.floor(MOST_NUMBERS / (row * samples * sites.length));
      return [site, new SiteRows(site, { positions: Math.min(places, Math.max(1, most)), seed })];
    }),
  );
  await walk.read(sites, weights, (site, { dims, data }, run) => {
    if (data instanceof Float32Array) lookup(collectors, site).add({ dims, values: data }, run);
  });
  const rows = Array.from(collectors, ([site, collector]) => [site, collector.rows()] as const);
  return new Map(rows.flatMap(([site, seen]) => (seen === null ? [] : [[site, seen]])));
}

/** A problem without its bits; null where nothing was seen, or other sizes behind quantized layers than in the float file. */
function rowsOf(
  graph: FileGraph,
  site: WeightSite,
  { seen, floats }: { readonly seen: SeenRows | undefined; readonly floats: SeenRows | undefined },
  ops: Ops,
): Omit<LayerProblem, "bits" | "name"> | null {
  if (seen === undefined || floats === undefined || seen.inputs.length !== floats.inputs.length) return null;
  const weight = toRows(site.layout, site.values);
  const { groups } = site.layout;
  const ending = endingOf(graph, site);
  const { samples, positions } = seen;
  const targets = outputsOf(ops, { ...floats, weight, groups, bias: ending.bias });
  const rows: CalibrationRows = { groups, samples, positions, inputs: seen.inputs, targets };
  return { weight, ...ending, rows };
}

/** What a float layer gives on rows, [groups, rows, outputs of a group]. */
function outputsOf(
  ops: Ops,
  {
    samples,
    positions,
    inputs,
    weight,
    groups,
    bias,
  }: SeenRows & Pick<LayerProblem, "weight" | "bias"> & { readonly groups: number },
): Float32Array {
  const outputs = weight.outputs / groups;
  return ops.scope(
    () => {
      const x = ops.tensor(inputs, [groups, samples * positions, weight.inputs]);
      const product = ops.batchMatmul(x, ops.tensor(weight.values, [groups, outputs, weight.inputs]), {
        transposeB: true,
      });
      return Float32Array.from(ops.read(bias ? ops.add(product, ops.tensor(bias, [groups, 1, outputs])) : product));
    },
    () => [],
  );
}

async function solve(
  site: WeightSite,
  problem: LayerProblem & { readonly bits: WeightBits },
  {
    method,
    ops,
    seed,
    hear,
  }: Pick<SolveOptions, "method" | "ops" | "seed"> & { hear: (share: number) => Promise<void> },
): Promise<SolvedSite> {
  const solver = solverOf(forPlaces(method, problem.rows.positions), problem.bits, seed);
  const solution = await withHearing(solver(problem, ops), hear);
  const { codes } = solution;
  const steps = usefulSteps(codes, solution.steps);
  return { site, bits: problem.bits, codes: fromRows(site.layout, codes), steps, method: method.name };
}
