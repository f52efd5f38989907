import { UsageError } from "../core/errors.ts";
import { permutation } from "../core/random.ts";

/** Numbers of the first `limit` of `count` images; of all when there are fewer, or no limit. */
export const firstIndices = (count: number, limit = count): Uint32Array =>
  Uint32Array.from({ length: Math.min(count, limit) }, (_, index) => index);

/**
 * Holds out the last `share` (0 to 1) of a random order that the seed fixes; both parts keep their images' own order.
 *
 * @throws UsageError when the share leaves one of the parts without an image.
 */
export function holdOut(
  indices: Uint32Array,
  { share, seed }: { share: number; seed: number },
): { readonly train: Uint32Array; readonly validation: Uint32Array | null } {
  if (share === 0) return { train: indices, validation: null };
  const count = indices.length;
  const cut = count - Math.round(count * share);
  if (cut === 0 || cut === count) {
    throw new UsageError(
      `data.validationShare: ${share} of ${count} training images leaves ${cut} to train on and ${count - cut} to validate on; choose a share that leaves both`,
    );
  }
  const order = permutation({ seed, stream: "hold-out", counter: 0 }, count);
  const part = (from: number, to: number) =>
    order
      .slice(from, to)
      .sort()
      .map((position) => indices[position]!);
  return { train: part(0, cut), validation: part(cut, count) };
}
