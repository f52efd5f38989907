import { isOpen, OPEN_PARAMETER } from "../quantization/hard-concrete.ts";

/**
 * Keeps a layer from losing its last channel: where no pruning gate would be open at test time, the one nearest to it
 * is held just open, in place.
 *
 * @param prune phi of z_2 per channel.
 * @returns Whether it had to.
 */
export function holdLastChannel(prune: Float64Array): boolean {
  if (prune.length === 0 || prune.some(isOpen)) return false;
  prune[prune.indexOf(prune.reduce((a, b) => Math.max(a, b)))] = OPEN_PARAMETER;
  return true;
}
