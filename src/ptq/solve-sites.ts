import type { Watch } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import { type LayerwiseSettings, solverOf } from "../methods/layerwise/create-layerwise.ts";
import type { UnsizedProblem } from "../methods/layerwise/layer-problem.ts";
import { solveParts } from "../methods/layerwise/solve-parts.ts";
import type { CalibrationInputs } from "../methods/method.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { decode } from "../quantization/weight-grid.ts";
import type { WeightWidths } from "../quantization/weight-widths.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { LayerWalk } from "./layer-walk.ts";
import type { Memo } from "./memo.ts";
import type { Calibration } from "./open-weights.ts";
import { forPlaces, placesOf } from "./sample-places.ts";
import { gatherRows, isSolvable, problemOf } from "./site-problem.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { keepSolved, recallSolved } from "./solved-memo.ts";
import { byValue, distinctWeights, fromRows, toRows, type WeightSite, weightKey } from "./weight-site.ts";

export interface SolveOptions {
  readonly sites: readonly WeightSite[];
  bitsOf(site: WeightSite): WeightWidths;
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
    const targets = linear.length > 0 ? await gatherRows(float, { ...choice, weights: new Map() }) : new Map();
    const seen = prefix === null || linear.length === 0 ? targets : await gatherRows(prefix, { ...choice, weights });
    for (const site of left) {
      const rows = problemOf(graph, site, { seen: seen.get(site), floats: targets.get(site) }, ops);
      const bits = bitsOf(site);
      const hear = (share: number) => watch.done(solved.size + share, site.name);
      const one = rows === null ? roundSite(site, bits) : await solve(site, rows, bits, { method, ops, seed, hear });
      if (prefix !== null) weights.set(weightKey(site), decoded(one));
      add(one);
      if (rows !== null) keepSolved(memo, inputs, one);
    }
  }
  return solved;
}

/** The values that a solved weight stands for, as the model reads them. */
export const decoded = (solved: SolvedSite): RuntimeTensor =>
  FileSession.tensor(decodedValues(solved), solved.site.layout.dims);

/** Those values in the tensor's order. */
export function decodedValues({ site, codes, steps }: SolvedSite): Float32Array {
  const rows = toRows(site.layout, Float32Array.from(codes));
  return fromRows(site.layout, decode(Int32Array.from(rows.values), steps, codes.length / steps.length));
}

/** The first samples of a calibration. */
export const fewer = ({ samples, order }: Calibration, most: number): Calibration => ({
  samples,
  order: order.subarray(0, most),
});

/** Solves a site; where output channels have widths of their own, those of each width apart. */
async function solve(
  site: WeightSite,
  problem: UnsizedProblem,
  bits: WeightWidths,
  {
    method,
    ops,
    seed,
    hear,
  }: Pick<SolveOptions, "method" | "ops" | "seed"> & { hear: (share: number) => Promise<void> },
): Promise<SolvedSite> {
  const { codes, steps } = await solveParts({ ...problem, name: site.name }, bits, {
    solver: (width) => solverOf(forPlaces(method, problem.rows.positions), width, seed),
    ops,
    hear,
  });
  return { site, bits, codes: fromRows(site.layout, codes), steps, method: method.name };
}
