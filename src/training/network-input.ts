import type { Normalization } from "../data/dataset.ts";
import { tokensOf, valuesOf } from "../data/sample-numbers.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import { type Network, onlyInput } from "../kinds/index.ts";

/**
 * What goes into a network for samples as they were read: normalised images, the numbers of tokens, or values.
 *
 * @param network Whose only input they are for.
 * @param normalization Of images; null: samples are numbers, which go in as they are.
 */
export function networkInput(
  { ops, network }: { readonly ops: Ops; readonly network: Network },
  { count, images }: { readonly count: number; readonly images: Uint8Array },
  normalization: Normalization | null,
): Tensor {
  const { shape: sample, dtype } = onlyInput(network);
  const shape = [count, ...sample];
  if (normalization === null) return ops.tensor(dtype === "int32" ? tokensOf(images) : valuesOf(images), shape);
  return ops.scope(
    () => ops.normalize(ops.tensor(images, shape), normalization),
    (normalized) => [normalized],
  );
}
