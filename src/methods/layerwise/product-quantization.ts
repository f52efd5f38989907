import type { Stepwise } from "../../core/stepwise.ts";
import { Gram } from "../../quantization/gram.ts";
import {
  type BlockMetric,
  mapBlocks,
  metricOf,
  plainMetric,
  seenMetric,
} from "../../quantization/product/block-metric.ts";
import { type ProductCodes, unroll } from "../../quantization/product/blocks.ts";
import { clusterBlocks } from "../../quantization/product/cluster-blocks.ts";
import type { CodebookShape } from "../../quantization/product/codebook-size.ts";
import type { LayerProblem } from "./layer-problem.ts";

export interface ProductOptions {
  /** Iterations of k-means, at most. */
  readonly iterations: number;
  /** Whether centroids are projected on what the inputs see. */
  readonly projection: boolean;
  readonly seed: number;
}

/** A layer whose weight is to be codes into a codebook. */
export interface ProductProblem extends Pick<LayerProblem, "name" | "weight"> {
  /** Patches that the layer saw, [rows, inputs], those of all groups; null: the weights alone decide. */
  readonly inputs: Float32Array | null;
}

/** A weight as codes, and how they were found. */
export interface ProductSolution {
  readonly product: ProductCodes;
  readonly statistics: ProductStatistics;
}

export interface ProductStatistics {
  /**
   * Of each iteration, the share of Σ ||A v||² over the blocks v that is lost, Σ ||A (v - c)||²; of the weights
   * themselves where they alone decide.
   */
  readonly objective: readonly number[];
  /** How often an empty cluster was given a centroid anew. */
  readonly splits: number;
  /** Blocks of each cluster, the fewest first. */
  readonly occupancy: readonly number[];
}

/** What clusters one layer after another, with its options bound. */
export type SolveProduct = (problem: ProductProblem, shape: CodebookShape) => Stepwise<ProductSolution>;

/** Weights as codes into a codebook (Stock et al. 2020, section 3.2), blocks weighed by the layer's inputs. */
export const clusterLayer = ({ iterations, projection, seed }: ProductOptions): SolveProduct =>
  function* ({ name, weight, inputs }, { blockSize, centroids }) {
    const blocks = unroll(weight, blockSize);
    const metric = metricFor(inputs, blockSize, projection);
    const options = { metric, centroids, iterations, projects: projection, seed, name };
    const { product, objective, splits } = yield* clusterBlocks(blocks, options);
    const energy = mapBlocks(metric.root, blocks.values, blockSize).reduce((sum, value) => sum + value * value, 0);
    const counts = new Array<number>(product.codebook.length / blockSize).fill(0);
    for (const code of product.codes) counts[code]!++;
    return {
      product,
      statistics: {
        objective: objective.map((lost) => (energy === 0 ? 0 : lost / energy)),
        splits,
        occupancy: counts.sort((one, other) => one - other),
      },
    };
  };

/** The pieces of every row are rows of A: all blocks are held against the inputs of all. */
function metricFor(inputs: Float32Array | null, blockSize: number, projection: boolean): BlockMetric {
  if (inputs === null) return plainMetric(blockSize);
  const gram = new Gram(blockSize, 0);
  gram.add(inputs, new Float32Array(0));
  const { products } = gram.finish();
  return projection ? metricOf(products, blockSize) : seenMetric(products, blockSize);
}
