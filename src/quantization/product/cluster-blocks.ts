import { uniforms } from "../../core/random.ts";
import type { Stepwise } from "../../core/stepwise.ts";
import { type BlockMetric, mapBlocks } from "./block-metric.ts";
import { type Blocks, clusterMeans, type ProductCodes } from "./blocks.ts";
import { distinctBlocks, firstCentroids } from "./first-centroids.ts";
import { nearestCentroids } from "./nearest-centroids.ts";

export interface ClusterOptions {
  readonly metric: BlockMetric;
  /** Centroids at most: no more than there are different blocks. */
  readonly centroids: number;
  /** At most; it ends where no block changes its cluster. */
  readonly iterations: number;
  /** Whether centroids are projected on what the inputs see, as the authors' are; else they are plain means. */
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
  /** Of each iteration: Σ ||R(v - c)||² over the blocks. */
  readonly objective: readonly number[];
  /** How often an empty cluster was given a centroid anew. */
  readonly splits: number;
}

/** K-means in the metric's space: blocks are points R·v there, and centroids are theirs. */
export interface Clusters {
  readonly blockSize: number;
  /** [count, blockSize] */
  readonly points: Float64Array;
  /** [centroids, blockSize], changed in place. */
  readonly centroids: Float64Array;
  readonly codes: Uint16Array;
  readonly counts: Uint32Array;
}

/** Gives one empty cluster a centroid near blocks; `attempt` counts those before it. */
export type Split = (clusters: Clusters, attempt: number) => void;

/**
 * Clusters blocks (Stock et al. 2020, section 3.2), each step with the share of the iterations done: every block goes to
 * the nearest centroid, the first of several; every centroid becomes its cluster's mean. As A⁺A is the identity where the
 * inputs differ enough, they weigh in through distances alone.
 */
export function* clusterBlocks(blocks: Blocks, options: ClusterOptions): Stepwise<Clustered> {
  const { metric, iterations, seed, name, projects = false } = options;
  const { blockSize } = blocks;
  const initial =
    options.initial ??
    firstCentroids(distinctBlocks(blocks), options.centroids, { seed, stream: `${name}.centroids`, blockSize });
  const centroids = mapBlocks(metric.root, initial, blockSize);
  const count = centroids.length / blockSize;
  const points = mapBlocks(metric.root, blocks.values, blockSize);
  const codes = new Uint16Array(blocks.count);
  const clusters: Clusters = { blockSize, points, centroids, codes, counts: new Uint32Array(count) };
  const split = options.split ?? splitLargest({ seed, stream: `${name}.splits` });
  const objective: number[] = [];
  let splits = 0;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const before = codes.slice();
    assign(clusters);
    while (clusters.counts.includes(0)) {
      split(clusters, splits++);
      assign(clusters);
    }
    centroids.set(clusterMeans({ blockSize, values: points }, codes, count));
    objective.push(squaredDistance(clusters));
    yield (iteration + 1) / iterations;
    if (iteration > 0 && codes.every((code, column) => code === before[column])) break;
  }
  const means = clusterMeans(blocks, codes, count);
  const codebook = projects ? mapBlocks(metric.projection, means, blockSize) : means;
  return { product: { blockSize, codes, codebook }, objective, splits };
}

function assign(clusters: Clusters): void {
  nearestCentroids(clusters);
  clusters.counts.fill(0);
  for (const code of clusters.codes) clusters.counts[code]!++;
}

function squaredDistance({ points, centroids, codes, blockSize }: Clusters): number {
  let sum = 0;
  for (let column = 0; column < codes.length; column++) {
    const [point, centroid] = [column * blockSize, codes[column]! * blockSize];
    for (let row = 0; row < blockSize; row++) {
      const difference = points[point + row]! - centroids[centroid + row]!;
      sum += difference * difference;
    }
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
    const { blockSize, centroids, counts } = clusters;
    const empty = counts.indexOf(0);
    const own = (values: Float64Array, code: number) => values.subarray(code * blockSize, (code + 1) * blockSize);
    const means = clusterMeans({ blockSize, values: clusters.points }, clusters.codes, counts.length);
    const spreads = spreadsOf(clusters, means);
    let largest = -1;
    for (let code = 0; code < counts.length; code++)
      if (spreads[code]! > 0 && (largest === -1 || counts[code]! > counts[largest]!)) largest = code;
    if (largest === -1 || attempt >= MOST_SPLITS * counts.length) {
      own(centroids, empty).set(own(clusters.points, worstFitted(clusters)));
      return;
    }
    const direction = uniforms({ seed, stream, counter: attempt }, blockSize);
    const mean = own(means, largest);
    for (let row = 0; row < blockSize; row++) {
      const offset = APART * spreads[largest]! * (2 * direction[row]! - 1);
      centroids[empty * blockSize + row] = mean[row]! + offset;
      centroids[largest * blockSize + row] = mean[row]! - offset;
    }
  };

/** The root mean square distance of each cluster's points from their mean. */
function spreadsOf({ points, codes, counts, blockSize }: Clusters, means: Float64Array): Float64Array {
  const squares = new Float64Array(counts.length);
  for (let index = 0; index < points.length; index++) {
    const code = codes[Math.floor(index / blockSize)]!;
    const difference = points[index]! - means[code * blockSize + (index % blockSize)]!;
    squares[code]! += difference * difference;
  }
  return squares.map((sum, code) => Math.sqrt(sum / Math.max(1, counts[code]!)));
}

function worstFitted({ points, centroids, codes, blockSize }: Clusters): number {
  let [worst, farthest] = [0, -1];
  for (let column = 0; column < codes.length; column++) {
    let distance = 0;
    for (let row = 0; row < blockSize; row++) {
      const difference = points[column * blockSize + row]! - centroids[codes[column]! * blockSize + row]!;
      distance += difference * difference;
    }
    if (distance > farthest) [worst, farthest] = [column, distance];
  }
  return worst;
}
