import type { Watch } from "../core/progress.ts";
import { withHearing } from "../core/stepwise.ts";
import { codebookFor } from "../methods/layerwise/codebook-plan.ts";
import { clusterLayer, meanShift, type ProductOptions } from "../methods/layerwise/product-quantization.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { type ProductCodes, roll } from "../quantization/product/blocks.ts";
import type { CodebookShape } from "../quantization/product/codebook-size.ts";
import type { FileGraph } from "./file-graph.ts";
import { LayerWalk } from "./layer-walk.ts";
import type { Calibration } from "./open-weights.ts";
import { placesOf } from "./sample-places.ts";
import { biasOf } from "./site-bias.ts";
import { gatherRows, isSolvable } from "./site-problem.ts";
import { fewer } from "./solve-sites.ts";
import { byValue, distinctWeights, toRows, type WeightSite, weightKey } from "./weight-site.ts";

/** A weight of a file that is codes into a codebook. */
export interface ClusteredSite {
  readonly site: WeightSite;
  readonly product: ProductCodes;
  /** How much larger the mean outputs become, [outputs]; null: they are not set right. */
  readonly shift: Float32Array | null;
}

export interface Codebooks extends Omit<ProductOptions, "seed"> {
  /** By kind of layer: more than one place, one place, or none. */
  readonly blockSize: ByKind;
  readonly centroids: ByKind;
  /** Whether the first layer has a codebook, too. */
  readonly firstLayer: boolean;
  readonly calibration: { readonly images: number; readonly positions: number };
}

type ByKind = Readonly<Record<"conv" | "pointwise" | "dense", number>>;

interface ClusterOptions {
  readonly sites: readonly WeightSite[];
  readonly codebooks: Codebooks;
  /** Null: there is no data, and blocks are compared by themselves. */
  readonly calibration: Calibration | null;
  readonly seed: number;
  readonly file: string;
  readonly watch: Watch;
}

/** Why a site gets no codebook; null where it does. */
export function withoutCodebook(site: WeightSite): string | null {
  if (site.operator.data === null) return "is a table that is looked up: codebooks are for layers";
  if (site.inner) return "lies in a subgraph: codebooks are for layers of the graph itself";
  if (site.type !== elementTypes.float) return "is in float16: codebooks are for layers in float32";
  if (site.layout.groups > 1) return "has groups of channels: codebooks are for layers that mix all";
  return isSolvable(site) ? null : "is no layer whose inputs can be followed";
}

/**
 * Makes the weights of a file codes into codebooks, each by what it sees in the float file.
 *
 * @returns By `weightKey`.
 */
export async function clusterSites(
  graph: FileGraph,
  { sites, codebooks, calibration: all, seed, file, watch }: ClusterOptions,
): Promise<ReadonlyMap<string, ClusteredSite>> {
  const clustered = new Map<string, ClusteredSite>();
  const own = distinctWeights(sites);
  const calibration = all && fewer(all, codebooks.calibration.images);
  await using walk = calibration && new LayerWalk(graph, { sites, grids: new Map(), calibration, file });
  watch.stage("clustering layers", own.length);
  const groups = byValue(own);
  for (const [index, together] of groups.entries()) {
    const weights = new Map();
    const later = groups.slice(index).flat();
    await walk?.advance(later, { weights, unknown: new Set(later.map(weightKey)) });
    const samples = calibration?.order.length ?? 0;
    const places = calibration && placesOf(codebooks.calibration, samples);
    const seen =
      walk && places !== null ? await gatherRows(walk, { sites: together, weights, seed, samples, places }) : new Map();
    for (const site of together) {
      const rows = seen.get(site);
      const weight = toRows(site.layout, site.values);
      // What is not set right afterwards counts.
      const corrected = codebooks.biasCorrection && rows !== undefined && biasOf(graph, site) !== null;
      const options = { ...codebooks, biasCorrection: corrected, seed };
      const known = rows === undefined ? null : { groups: site.layout.groups, inputs: rows.inputs };
      const problem = { name: site.name, weight, rows: known };
      const { product } = await withHearing(
        clusterLayer(options)(problem, shapeFor(site, weight, codebooks)),
        (share) => watch.done(clustered.size + share, site.name),
      );
      const shift = corrected && known ? meanShift({ ...problem, rows: known }, roll(product, weight)) : null;
      clustered.set(weightKey(site), { site, product, shift });
    }
  }
  return clustered;
}

function shapeFor(
  { layout: { dims } }: WeightSite,
  { values, outputs }: { readonly values: Float32Array; readonly outputs: number },
  { blockSize, centroids }: Codebooks,
): CodebookShape {
  const kind = dims.length === 2 ? "dense" : dims.slice(2).every((side) => side === 1) ? "pointwise" : "conv";
  return codebookFor({ elements: values.length, outputs }, { blockSize: blockSize[kind], centroids: centroids[kind] });
}
