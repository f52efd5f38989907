import { at } from "../../core/elements.ts";
import type { Stepwise } from "../../core/stepwise.ts";
import { Gram } from "../../quantization/gram.ts";
import { type BlockMetric, plainMetric, seenMetrics } from "../../quantization/product/block-metric.ts";
import { countsOf, type ProductCodes, unroll } from "../../quantization/product/blocks.ts";
import { clusterBlocks } from "../../quantization/product/cluster-blocks.ts";
import type { CodebookShape } from "../../quantization/product/codebook-size.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import type { CalibrationRows, LayerProblem } from "./layer-problem.ts";

export interface ProductOptions {
  /**
   * What blocks are compared by: what they do to the inputs of their own piece, to the pooled inputs of all pieces, or by
   * themselves.
   */
  readonly activations: "blocks" | "pooled" | false;
  /** Whether the layer's mean outputs are set right afterwards: blocks are compared by the rest of them then. */
  readonly biasCorrection: boolean;
  /** Iterations of k-means, at most. */
  readonly iterations: number;
  /** Whether centroids are projected on what the inputs see. */
  readonly projection: boolean;
  readonly seed: number;
}

/** A layer whose weight is to be codes into a codebook. */
export interface ProductProblem extends Pick<LayerProblem, "name" | "weight"> {
  /** What the layer saw; null: nothing is known of it. */
  readonly rows: Pick<CalibrationRows, "groups" | "inputs"> | null;
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
export const clusterLayer = (options: ProductOptions): SolveProduct =>
  function* ({ name, weight, rows }, { blockSize, centroids }) {
    const { iterations, projection, seed, activations } = options;
    const blocks = unroll(weight, blockSize);
    const metrics =
      rows && activations ? metricsFor(rows, weight.inputs, blockSize, options) : [plainMetric(blockSize)];
    const projects = projection && activations === "pooled";
    const { product, objective, splits } = yield* clusterBlocks(blocks, {
      ...{ metrics, centroids, iterations, projects, seed, name },
    });
    const counts = countsOf(product.codes, product.codebook.length / blockSize);
    return {
      product,
      statistics: {
        objective,
        splits,
        occupancy: [...counts.sort()],
      },
    };
  };

/** The pieces of every row are rows of A: of one for all blocks, or of one for each piece. */
function metricsFor(
  { groups, inputs }: NonNullable<ProductProblem["rows"]>,
  width: number,
  blockSize: number,
  { activations, biasCorrection }: ProductOptions,
): readonly BlockMetric[] {
  const length = inputs.length / groups;
  const pieces = width / blockSize;
  const grams = Array.from({ length: activations === "blocks" ? pieces : 1 }, () => new Gram(blockSize, 0));
  for (let group = 0; group < groups; group++) {
    const own = rowOf(inputs, group, length);
    const means = biasCorrection ? columnMeans(own, width) : new Float64Array(width);
    const centred = own.map((value, index) => value - at(means, index % width));
    for (const [piece, gram] of grams.entries())
      gram.add(grams.length === 1 ? centred : pieceOf(centred, { piece, width, blockSize }), new Float32Array(0));
  }
  return seenMetrics(
    grams.map((gram) => gram.finish().products),
    blockSize,
  );
}

/** One piece of each row, [rows, blockSize]. */
function pieceOf(
  rows: Float32Array,
  { piece, width, blockSize }: { readonly piece: number; readonly width: number; readonly blockSize: number },
): Float32Array {
  const own = new Float32Array((rows.length / width) * blockSize);
  for (let row = 0; row * width < rows.length; row++) {
    const from = row * width + piece * blockSize;
    own.set(rows.subarray(from, from + blockSize), row * blockSize);
  }
  return own;
}

/**
 * How much larger the mean outputs of a layer become with other weights, [outputs].
 *
 * @param weights [outputs, inputs]
 */
export function meanShift(
  { weight, rows: { groups, inputs } }: ProductProblem & { readonly rows: NonNullable<ProductProblem["rows"]> },
  weights: Float32Array,
): Float32Array {
  const length = inputs.length / groups;
  const means = Array.from({ length: groups }, (_, group) => columnMeans(rowOf(inputs, group, length), weight.inputs));
  return Float32Array.from({ length: weight.outputs }, (_, output) => {
    const own = at(means, Math.floor((output * groups) / weight.outputs));
    let shift = 0;
    for (let input = 0; input < weight.inputs; input++) {
      const place = output * weight.inputs + input;
      shift += at(own, input) * (at(weights, place) - at(weight.values, place));
    }
    return shift;
  });
}

/** Mean of each column of [rows, width]. */
function columnMeans(values: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let start = 0; start < values.length; start += width)
    for (let column = 0; column < width; column++) sums[column] = at(sums, column) + at(values, start + column);
  return sums.map((sum) => sum / (values.length / width));
}
