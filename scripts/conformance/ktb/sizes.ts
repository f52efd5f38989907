import { z } from "zod";
import { codebookSize, mostCentroids } from "../../../src/quantization/product/codebook-size.ts";
import { type Outcome, Tally } from "../compare.ts";

const file = z.object({
  models: z.array(
    z.object({
      model: z.string(),
      args: z.string(),
      layers: z.array(
        z.object({
          layer: z.string(),
          shape: z.array(z.int()),
          n_blocks: z.int(),
          block_size: z.int(),
          n_centroids: z.int(),
          bits_per_weight_2dp: z.number(),
          compressed_MB_2dp: z.number(),
        }),
      ),
      totals_2dp: z.object({
        uncompressed_MB: z.number(),
        index_MB: z.number(),
        centroids_MB: z.number(),
        other_MB: z.number(),
        compressed_MB: z.number(),
        ratio: z.number(),
      }),
    }),
  ),
});

const MEGABYTE = 2 ** 20;
/** Two decimals. */
const ROUNDED = 0.005 + 1e-9;

/** sizes.json: centroids, bits and bytes of each layer and of whole networks, which are printed with two decimals. */
export function checkSizes(content: unknown): Outcome {
  const tally = new Tally();
  for (const { args, layers, totals_2dp: totals } of file.parse(content).models) {
    const asked = (kind: string) => Number(new RegExp(`--n-centroids-${kind} (\\d+)`).exec(args)![1]);
    const sums = { weights: 0, index: 0, centroids: 0 };
    for (const golden of layers) {
      const [outputs = 1, inputs = 1, kernel = 1] = golden.shape;
      const numel = golden.shape.reduce((product, size) => product * size, 1);
      const kind = golden.shape.length === 2 ? "fc" : kernel > 1 ? "cv" : "pw";
      const blocks = numel / golden.block_size;
      const centroids = Math.min(asked(kind), mostCentroids(blocks));
      const size = codebookSize(blocks, { centroids, blockSize: golden.block_size });
      sums.weights += numel;
      sums.index += size.countedIndexBytes;
      sums.centroids += size.codebookBytes;
      tally.case((check) => {
        check(Math.abs((inputs * kernel * kernel) / golden.block_size - golden.n_blocks), 0);
        check(Math.abs(blocks - golden.n_blocks * outputs), 0);
        check(Math.abs(centroids - golden.n_centroids), 0);
        check(Math.abs(size.bitsPerWeight - golden.bits_per_weight_2dp), ROUNDED);
        const bytes = size.countedIndexBytes + size.codebookBytes;
        check(Math.abs(bytes / MEGABYTE - golden.compressed_MB_2dp), ROUNDED);
      });
    }
    tally.case((check) => {
      // What is left in float32 is known with two decimals alone.
      const other = totals.uncompressed_MB - (4 * sums.weights) / MEGABYTE;
      const [index, centroids] = [sums.index / MEGABYTE, sums.centroids / MEGABYTE];
      check(Math.abs(index - totals.index_MB), ROUNDED);
      check(Math.abs(centroids - totals.centroids_MB), ROUNDED);
      check(Math.abs(other - totals.other_MB), 2 * ROUNDED);
      check(Math.abs(index + centroids + other - totals.compressed_MB), 2 * ROUNDED);
      check(Math.abs(totals.uncompressed_MB / (index + centroids + totals.other_MB) / totals.ratio - 1), 0.01);
    });
  }
  return tally;
}
