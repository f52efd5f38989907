import { at } from "../../core/elements.ts";
import { type RandomKey, subset } from "../../core/random.ts";
import type { Blocks } from "./blocks.ts";

/**
 * The blocks that differ from each other, [different, blockSize], in the order of their values: the same whatever the
 * order of output channels.
 */
export function distinctBlocks({ values, blockSize, count }: Blocks): Float32Array {
  const order = Uint32Array.from({ length: count }, (_, column) => column);
  const compare = (one: number, other: number): number => {
    for (let row = 0; row < blockSize; row++) {
      const difference = at(values, one * blockSize + row) - at(values, other * blockSize + row);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  order.sort(compare);
  const different = order.filter((column, place) => place === 0 || compare(at(order, place - 1), column) !== 0);
  const blocks = new Float32Array(different.length * blockSize);
  for (const [place, column] of different.entries())
    blocks.set(values.subarray(column * blockSize, (column + 1) * blockSize), place * blockSize);
  return blocks;
}

/** Some of the different blocks, drawn by the seed, or all where there are no more: where the authors draw any. */
export function firstCentroids(
  distinct: Float32Array,
  centroids: number,
  { seed, stream, blockSize }: Pick<RandomKey, "seed" | "stream"> & { readonly blockSize: number },
): Float32Array {
  const count = distinct.length / blockSize;
  const drawn = subset({ seed, stream, counter: 0 }, count, Math.min(centroids, count)).sort();
  const first = new Float32Array(drawn.length * blockSize);
  for (const [place, block] of drawn.entries())
    first.set(distinct.subarray(block * blockSize, (block + 1) * blockSize), place * blockSize);
  return first;
}
