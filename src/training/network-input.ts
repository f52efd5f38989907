import type { Dataset } from "../data/dataset.ts";
import { tokensOf } from "../data/tokens-of.ts";
import type { Ops, Tensor } from "../engine/ops.ts";

/** What goes into a network for samples as they were read: normalised images, or the numbers of tokens. */
export function networkInput(
  ops: Ops,
  { count, images }: { readonly count: number; readonly images: Uint8Array },
  { imageShape, normalization }: Pick<Dataset, "imageShape" | "normalization">,
): Tensor {
  const shape = [count, ...imageShape];
  if (normalization === null) return ops.tensor(tokensOf(images), shape);
  return ops.scope(
    () => ops.normalize(ops.tensor(images, shape), normalization),
    (normalized) => [normalized],
  );
}
