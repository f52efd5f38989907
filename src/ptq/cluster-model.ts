import { basename } from "node:path";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { Watch } from "../core/progress.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { codebookSize } from "../quantization/product/codebook-size.ts";
import { type ClusteredSite, type Codebooks, clusterSites, withoutCodebook } from "./cluster-sites.ts";
import { costMeter } from "./costly-layers.ts";
import type { FileGraph } from "./file-graph.ts";
import type { LeftNode } from "./find-sites.ts";
import { noiseMeter } from "./layer-noise.ts";
import type { Calibration } from "./open-weights.ts";
import { quantizedBits } from "./quantized-bits.ts";
import type { QuantizedLayer, QuantizedModel } from "./quantized-model.ts";
import { codebookBytes, writeCodebooks } from "./store-codebook.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

interface ClusterModelOptions {
  readonly settings: Codebooks;
  readonly seed: number;
  readonly sites: readonly WeightSite[];
  /** What has no weight that could be taken. */
  readonly left: readonly LeftNode[];
  readonly calibration: Calibration | null;
  readonly file: string;
  readonly watch: Watch;
}

/**
 * Makes the weights of a file codes into codebooks. Weights that several layers read in other ways stay as they are.
 *
 * @throws UserError when no layer gets a codebook.
 */
export async function clusterModel(
  model: Model,
  graph: FileGraph,
  { settings: codebooks, seed, sites: all, left: unread, calibration, file, watch }: ClusterModelOptions,
): Promise<QuantizedModel> {
  const reasons = new Map(
    all.map((site, index) => [
      site,
      index === 0 && !codebooks.firstLayer ? "is the first layer, which stays" : withoutCodebook(site),
    ]),
  );
  const sites = all.filter((site) => reasons.get(site) === null);
  const left = all.flatMap((site): LeftNode[] => {
    const reason = reasons.get(site) ?? null;
    return reason === null ? [] : [{ name: site.name, operator: site.node.opType, reason }];
  });
  if (sites.length === 0) {
    const [first] = left;
    throw new UserError(
      `${file}: has no layer that could get a codebook: ${first?.operator} ${JSON.stringify(first?.name)} ${first?.reason}`,
    );
  }
  const clustered = await clusterSites(graph, { sites, codebooks, calibration, seed, file, watch });
  const costs = costMeter(graph, { solved: [], file });
  const noisesOf = noiseMeter(graph, { sites, file });
  writeCodebooks(graph, sites, clustered);
  const encoded = graph.encode();
  return {
    encoded,
    bits: quantizedBits(basename(file), {
      solved: [],
      clustered: [...clustered.values()],
      grids: new Map(),
      relativeBops: null,
    }),
    layers: sites.map((site) => layerOf(site, lookup(clustered, weightKey(site)))),
    left: [...unread, ...left],
    grids: new Map(),
    plan: null,
    costs,
    noises: (unseen) => noisesOf(model, unseen),
    notes: [
      "weights are codes into codebooks: the file is small, but onnxruntime computes whole weights when it loads it, and takes the memory and time of float32",
    ],
  };
}

function layerOf(site: WeightSite, { product }: ClusteredSite): QuantizedLayer {
  const { codes, codebook, blockSize } = product;
  const shape = { blockSize, centroids: codebook.length / blockSize };
  const { bitsPerWeight } = codebookSize(codes.length, shape);
  return {
    ...{
      name: site.name,
      operator: site.node.opType,
      shape: site.layout.dims,
      bits: bitsPerWeight,
      granularity: "tensor",
    },
    ...{ method: "product-quantization", integer: false, bytes: codebookBytes(product) },
    codebook: shape,
  };
}
