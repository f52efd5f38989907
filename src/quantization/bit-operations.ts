/** One layer's share in the count of bit operations (ARCHITECTURE.md, "The method" 4). */
export interface LayerCost {
  /** Multiply-accumulates for one image, before pruning. */
  readonly macs: number;
  readonly weightBits: number;
  /** Bits of the activation it reads. */
  readonly inputBits: number;
  /** Kept share of its output channels. */
  readonly keptOutputs: number;
  /** Kept share of its input channels. */
  readonly keptInputs: number;
}

/** BOPs = MACs · weight bits · input bits · kept outputs · kept inputs. */
export const bitOperations = ({ macs, weightBits, inputBits, keptOutputs, keptInputs }: LayerCost): number =>
  macs * weightBits * inputBits * keptOutputs * keptInputs;

/** Bit operations in percent of those of the same network at 32 × 32 bits, unpruned. */
export function relativeBitOperations(layers: readonly LayerCost[]): number {
  const spent = layers.reduce((sum, layer) => sum + bitOperations(layer), 0);
  const full = layers.reduce((sum, { macs }) => sum + 32 * 32 * macs, 0);
  return (100 * spent) / full;
}
