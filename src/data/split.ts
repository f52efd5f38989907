import { permutation } from "../engine/noise.ts";
import { gatherBatch } from "./batches.ts";
import type { ImageSet } from "./dataset.ts";

/** The images at `indices`. */
function select(set: ImageSet, indices: Uint32Array): ImageSet {
  return { count: indices.length, ...gatherBatch(set, indices) };
}

/** Holds out the last `share` of a seed-fixed random order; null when nothing is held out. */
export function holdOut(set: ImageSet, share: number, seed: number): { train: ImageSet; validation: ImageSet | null } {
  const held = Math.round(set.count * share);
  if (held === 0) return { train: set, validation: null };
  const order = permutation({ seed, stream: "hold-out", counter: 0 }, set.count);
  const cut = set.count - held;
  return { train: select(set, order.slice(0, cut).sort()), validation: select(set, order.slice(cut).sort()) };
}

/** The first `limit` images. */
export function limited(set: ImageSet, limit: number | undefined): ImageSet {
  if (limit === undefined || limit >= set.count) return set;
  return select(set, Uint32Array.from({ length: limit }, (_, index) => index));
}
