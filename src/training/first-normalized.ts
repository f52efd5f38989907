import { firstImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Network } from "../kinds/index.ts";
import { networkInput } from "./network-input.ts";

/** Uploads the first training images, normalised, or samples of another kind, as often as it is called; fewer where there are not so many. */
export async function firstNormalized(
  model: { readonly ops: Ops; readonly network: Network },
  dataset: Pick<Dataset, "train" | "normalization">,
  count: number,
): Promise<() => Tensor> {
  const batch = await firstImages(dataset.train, count);
  return () => networkInput(model, batch, dataset.normalization);
}
