import { UserError } from "../core/errors.ts";
import { square } from "../core/powers.ts";
import type { Normalization, Split } from "./dataset.ts";

const batchSize = 500;

/**
 * Mean and standard deviation of each channel's pixels, scaled to [0, 1], over the first `limit` images of a split.
 *
 * @throws UserError when a channel has one value everywhere: it could not be scaled to deviation 1.
 */
export async function measure(split: Split, channels: number, limit: number): Promise<Normalization> {
  const counts = Array.from({ length: channels }, () => new Float64Array(256));
  for await (const { images } of split.batches({ batchSize, limit })) {
    counts.forEach((values, channel) => {
      for (let at = channel; at < images.length; at += channels) values[images[at]!]!++;
    });
  }
  const moments = counts.map(momentsOf);
  const constant = moments.findIndex(({ deviation }) => !(deviation > 0));
  if (constant >= 0) {
    throw new UserError(
      `data.normalization: measured: channel ${constant} has the same value in every pixel of the training images; give mean and deviation instead`,
    );
  }
  return { mean: moments.map(({ mean }) => mean), deviation: moments.map(({ deviation }) => deviation) };
}

/** Of pixels that are counted by value. */
function momentsOf(counts: Float64Array): { mean: number; deviation: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = counts.reduce((sum, count, value) => sum + (count * value) / 255, 0) / total;
  const variance = counts.reduce((sum, count, value) => sum + count * square(value / 255 - mean), 0) / total;
  return { mean, deviation: Math.sqrt(variance) };
}
