import { UsageError } from "../base/errors.ts";
import { permutation } from "../engine/noise.ts";
import { gatherBatch } from "./batches.ts";
import type { ImageSet } from "./dataset.ts";

/** The images at `indices`, copied. */
const select = (set: ImageSet, indices: Uint32Array): ImageSet => ({
  count: indices.length,
  ...gatherBatch(set, indices),
});

/**
 * Holds out the last `share` (0 to 1) of a random order that the seed fixes; both parts keep the set's own order.
 * With a share of 0 nothing is held out and nothing copied.
 *
 * @throws UsageError when the share leaves one of the parts without an image.
 */
export function holdOut(
  set: ImageSet,
  { share, seed }: { share: number; seed: number },
): { train: ImageSet; validation: ImageSet | null } {
  if (share === 0) return { train: set, validation: null };
  const cut = set.count - Math.round(set.count * share);
  if (cut === 0 || cut === set.count) {
    throw new UsageError(
      `data.validationShare: ${share} of ${set.count} training images leaves ${cut} to train on and ${set.count - cut} to validate on; choose a share that leaves both`,
    );
  }
  const order = permutation({ seed, stream: "hold-out", counter: 0 }, set.count);
  return { train: select(set, order.slice(0, cut).sort()), validation: select(set, order.slice(cut).sort()) };
}

/** The first `limit` images, without copying them; all when there are fewer, or no limit. */
export function limited(set: ImageSet, limit: number | undefined): ImageSet {
  if (limit === undefined || limit >= set.count) return set;
  const pixels = set.images.length / set.count;
  return { count: limit, images: set.images.subarray(0, limit * pixels), labels: set.labels.subarray(0, limit) };
}
