/** One layer's share in the count of bit operations (docs/method.md, "Bit operations"); of a product of activations, the right one is the weight. */
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

/**
 * Bits of an activation that no quantizer serves, for the layer that reads it: 32, but 8 of the network's input where it
 * is image data. A layer that computes in float32, its weight not quantized, reads the input as float32 too.
 */
export const unquantizedBits = (layer: {
  readonly readsPixels: boolean;
  /** null: the weight is in float32. */
  readonly weightQuantizer: string | null;
}): 8 | 32 => (layer.readsPixels && layer.weightQuantizer !== null ? 8 : 32);

/** BOPs = MACs · weight bits · input bits · kept outputs · kept inputs. */
export const bitOperations = ({ macs, weightBits, inputBits, keptOutputs, keptInputs }: LayerCost): number =>
  macs * weightBits * inputBits * keptOutputs * keptInputs;

/** Bit operations in percent of those of the same network at 32 × 32 bits, unpruned. */
export function relativeBitOperations(layers: readonly LayerCost[]): number {
  const spent = layers.reduce((sum, layer) => sum + bitOperations(layer), 0);
  const full = layers.reduce((sum, { macs }) => sum + 32 * 32 * macs, 0);
  return (100 * spent) / full;
}
