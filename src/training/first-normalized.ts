import { firstImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";

/** Uploads the first training images, normalised, as often as it is called; fewer where there are not so many. */
export async function firstNormalized(
  ops: Ops,
  { train, imageShape, normalization }: Dataset,
  count: number,
): Promise<() => Tensor> {
  const batch = await firstImages(train, count);
  return () => ops.normalize(ops.tensor(batch.images, [batch.count, ...imageShape]), normalization);
}
