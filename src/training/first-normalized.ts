import { firstImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import { networkInput } from "./network-input.ts";

/** Uploads the first training images, normalised, or texts, as often as it is called; fewer where there are not so many. */
export async function firstNormalized(ops: Ops, dataset: Dataset, count: number): Promise<() => Tensor> {
  const batch = await firstImages(dataset.train, count);
  return () => networkInput(ops, batch, dataset);
}
