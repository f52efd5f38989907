import { decibels } from "../core/decibels.ts";
import { lookup } from "../core/lookup.ts";
import { meanWidth } from "../quantization/weight-widths.ts";
import { copyGraph } from "./copy-graph.ts";
import type { FileGraph } from "./file-graph.ts";
import type { Calibration } from "./open-weights.ts";
import { OutputError } from "./output-error.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { decoded } from "./solve-sites.ts";
import { distinctWeights, readersOf, weightKey } from "./weight-site.ts";

/** A weight, and what the outputs gain where it is left in more bits. */
export interface CostlyLayer {
  /** That read it. */
  readonly layers: readonly string[];
  /** Of each number, on average. */
  readonly bits: number;
  /** What it was measured with: 8 bits, or float (32) where it has 8 already. */
  readonly instead: 8 | 32;
  /** null: not one number differs then. */
  readonly gainDb: number | null;
}

export interface Costs {
  /** Signal-to-noise ratio of the outputs with weights alone quantized, the mean over outputs; null: not one number differs. */
  readonly weightsDb: number | null;
  /** Those that cost most, the first most. */
  readonly layers: readonly CostlyLayer[];
  /** Gain where all of these are left in more bits; null: not one number differs then. */
  readonly togetherDb: number | null;
}

/** Samples that this is measured on. */
export const COST_SAMPLES = 16;
/** So many weights are named at most. */
const NAMED = 3;
/** Less is no gain. */
const LEAST_DB = 0.1;

/**
 * What measures which weights cost the outputs most: each in turn is put back to more bits, all others quantized.
 *
 * @param graph As it is before anything is written into it; it may change afterwards.
 */
export function costMeter(
  graph: FileGraph,
  { solved, file }: { readonly solved: readonly SolvedSite[]; readonly file: string },
): (calibration: Calibration) => Promise<Costs> {
  const copy = copyGraph(graph);
  const sites = solved.map(({ site }) => ({ ...site, node: copy.copyOf(site.node) }));
  return async (calibration) => {
    await using error = await OutputError.open(copy.graph, { sites, calibration, file });
    const widths = new Map(solved.map(({ site, bits }) => [weightKey(site), meanWidth(bits)]));
    const quantized = new Map(solved.map((one) => [weightKey(one.site), decoded(one)]));
    const all = await error.with(quantized);
    if (all === 0) return { weightsDb: null, layers: [], togetherDb: 0 };
    const better = new Map(
      distinctWeights(sites).map((site) => {
        const bits = lookup(widths, weightKey(site));
        return [weightKey(site), { bits, tensor: bits === 8 ? null : decoded(roundSite(site, 8)) }];
      }),
    );
    const gainOf = async (keys: readonly string[]) => {
      const weights = new Map(quantized);
      for (const key of keys) {
        const { tensor } = lookup(better, key);
        if (tensor === null) weights.delete(key);
        else weights.set(key, tensor);
      }
      const left = await error.with(weights);
      return left === 0 ? null : decibels(all / left);
    };
    const gains: { readonly key: string; readonly gainDb: number | null }[] = [];
    for (const key of better.keys()) gains.push({ key, gainDb: await gainOf([key]) });
    const size = ({ gainDb }: { readonly gainDb: number | null }) => gainDb ?? Number.POSITIVE_INFINITY;
    const most = gains
      .filter((one) => size(one) >= LEAST_DB)
      .sort((a, b) => (size(a) === size(b) ? 0 : size(b) - size(a)))
      .slice(0, NAMED);
    const layers = most.map(({ key, gainDb }): CostlyLayer => {
      const { bits } = lookup(better, key);
      return { layers: readersOf(sites, key), bits, instead: bits === 8 ? 32 : 8, gainDb };
    });
    const togetherDb = most.length > 0 ? await gainOf(most.map(({ key }) => key)) : 0;
    return { weightsDb: -decibels(all), layers, togetherDb };
  };
}
