import { at } from "../../core/elements.ts";
import { uniforms } from "../../core/random.ts";
import type { Stepwise } from "../../core/stepwise.ts";
import { bestCentroids } from "./best-centroids.ts";
import { type BlockMetric, mapBlocks } from "./block-metric.ts";
import { type Blocks, clusterMeans, countsOf, type ProductCodes } from "./blocks.ts";
import { squaredDistance, sumOfSquares } from "./distance.ts";
import { distinctBlocks, firstCentroids } from "./first-centroids.ts";
import { nearestCentroids } from "./nearest-centroids.ts";

export interface ClusterOptions {
  /** One for all blocks, or one for each piece of an output's inputs. */
  readonly metrics: readonly BlockMetric[];
  /** Centroids at most: no more than there are different blocks. */
  readonly centroids: number;
  /** At most; it ends where no block changes its cluster. */
  readonly iterations: number;
  /** Whether centroids of the one metric are projected on what the inputs see, as the authors' are. */
  readonly projects?: boolean;
  readonly seed: number;
  /** Names what is random. */
  readonly name: string;
  /** Where it starts, [centroids, blockSize]; blocks drawn by the seed if left out. */
  readonly initial?: ArrayLike<number> | undefined;
  /** What is done about empty clusters; {@link splitLargest} if left out. */
  readonly split?: Split | undefined;
}

/** What clustering came to. */
export interface Clustered {
  readonly product: ProductCodes;
  /** Of each iteration, the share of Σ ||R v||² over the blocks that is lost: Σ ||R(v - c)||². */
  readonly objective: readonly number[];
  /** How often an empty cluster was given a centroid anew. */
  readonly splits: number;
}

/** Blocks and their clusters. */
export interface Clusters {
  readonly blocks: Blocks;
  /** [centroids, blockSize], changed in place. */
  readonly centroids: Float64Array;
  readonly codes: Uint16Array;
  /** Of each block from its centroid, as the metric has it. */
  readonly distances: Float64Array;
  /** Blocks of each cluster. */
  readonly counts: Uint32Array;
}

/** Gives one empty cluster a centroid near blocks; `attempt` counts those before it. */
export type Split = (clusters: Clusters, attempt: number) => void;

/** Blocks that have one metric, as points of its space. */
interface Space {
  readonly metric: BlockMetric;
  readonly points: Float64Array;
  readonly codes: Uint16Array;
  readonly distances: Float64Array;
}

/**
 * Clusters blocks (Stock et al. 2020, section 3.2), each step with the share of the iterations done: every block goes to
 * the nearest centroid, the first of several; every centroid becomes the one that loses least of its cluster.
 */
export function* clusterBlocks(blocks: Blocks, options: ClusterOptions): Stepwise<Clustered> {
  const { metrics, iterations, seed, name, projects = false } = options;
  const { blockSize } = blocks;
  const drawn = { seed, stream: `${name}.centroids`, blockSize };
  const centroids = Float64Array.from(
    options.initial ?? firstCentroids(distinctBlocks(blocks), options.centroids, drawn),
  );
  const counts = new Uint32Array(centroids.length / blockSize);
  const codes = new Uint16Array(blocks.count);
  const clusters: Clusters = { blocks, centroids, codes, distances: new Float64Array(blocks.count), counts };
  const spaces = spacesOf(clusters, metrics);
  const energy = spaces.reduce((sum, { points }) => sum + sumOfSquares(points), 0);
  const split = options.split ?? splitLargest({ seed, stream: `${name}.splits` });
  const objective: number[] = [];
  let splits = 0;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const before = codes.slice();
    assign(clusters, spaces);
    while (counts.includes(0)) {
      split(clusters, splits++);
      assign(clusters, spaces);
    }
    centroids.set(bestCentroids(blocks, codes, metrics, counts.length));
    objective.push(energy === 0 ? 0 : lostBy(clusters, spaces) / energy);
    yield (iteration + 1) / iterations;
    if (iteration > 0 && codes.every((code, column) => code === before[column])) break;
  }
  const [metric] = metrics;
  const codebook = projects && metric ? mapBlocks(metric.projection, centroids, blockSize) : centroids;
  return { product: { blockSize, codes, codebook }, objective, splits };
}

function spacesOf({ blocks, codes, distances }: Clusters, metrics: readonly BlockMetric[]): readonly Space[] {
  const { blockSize, count, values } = blocks;
  const each = count / metrics.length;
  return metrics.map((metric, piece) => {
    const [from, to] = [piece * each, (piece + 1) * each];
    return {
      metric,
      points: mapBlocks(metric.root, values.subarray(from * blockSize, to * blockSize), blockSize),
      codes: codes.subarray(from, to),
      distances: distances.subarray(from, to),
    };
  });
}

function assign({ centroids, codes, counts, blocks: { blockSize } }: Clusters, spaces: readonly Space[]): void {
  for (const { metric, ...space } of spaces)
    nearestCentroids({ blockSize, ...space, centroids: mapBlocks(metric.root, centroids, blockSize) });
  counts.set(countsOf(codes, counts.length));
}

function lostBy({ centroids, blocks: { blockSize } }: Clusters, spaces: readonly Space[]): number {
  let sum = 0;
  for (const { metric, points, codes } of spaces) {
    const own = mapBlocks(metric.root, centroids, blockSize);
    for (const [column, code] of codes.entries())
      sum += squaredDistance(points, column * blockSize, own, code * blockSize, blockSize);
  }
  return sum;
}

/** How far apart the halves of a cluster begin, in its spread: relative, as 1e-8 alone is lost beside large weights. */
const APART = 1e-3;
/** Splits for each centroid after which empty clusters take the worst-fitted block: that always comes to an end. */
const MOST_SPLITS = 2;

/**
 * The first empty cluster takes half of the most populated one whose blocks differ, cut through its mean in a random
 * direction; where that does not help, the block that is farthest from its centroid.
 */
const splitLargest =
  ({ seed, stream }: { readonly seed: number; readonly stream: string }): Split =>
  (clusters, attempt) => {
    const { blocks, centroids, codes, counts, distances } = clusters;
    const { blockSize } = blocks;
    const empty = counts.indexOf(0);
    const own = (values: Float64Array, code: number) => values.subarray(code * blockSize, (code + 1) * blockSize);
    const means = clusterMeans(blocks, codes, counts.length);
    const spreads = spreadsOf(clusters, means);
    const isLarger = (code: number, most: number) =>
      at(spreads, code) > 0 && (most < 0 || at(counts, code) > at(counts, most));
    const largest = counts.reduce((most, _, code) => (isLarger(code, most) ? code : most), -1);
    if (largest < 0 || attempt >= MOST_SPLITS * counts.length) {
      const worst = distances.indexOf(distances.reduce((most, distance) => Math.max(most, distance), 0));
      own(centroids, empty).set(blocks.values.subarray(worst * blockSize, (worst + 1) * blockSize));
      return;
    }
    const direction = uniforms({ seed, stream, counter: attempt }, blockSize);
    const offset = direction.map((share) => APART * at(spreads, largest) * (2 * share - 1));
    const mean = own(means, largest);
    own(centroids, empty).set(mean.map((value, row) => value + at(offset, row)));
    own(centroids, largest).set(mean.map((value, row) => value - at(offset, row)));
  };

/** The root mean square distance of each cluster's blocks from their mean. */
function spreadsOf({ blocks, codes, counts }: Clusters, means: Float64Array): Float64Array {
  const { values, blockSize } = blocks;
  const squares = new Float64Array(counts.length);
  for (const [column, code] of codes.entries())
    squares[code] = at(squares, code) + squaredDistance(values, column * blockSize, means, code * blockSize, blockSize);
  return squares.map((sum, code) => Math.sqrt(sum / Math.max(1, at(counts, code))));
}
