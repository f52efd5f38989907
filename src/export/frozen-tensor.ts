/** Integer bit-widths that a stored tensor can have. */
export type IntegerBits = 2 | 4 | 8 | 16;

/** A weight on its grid: value = code · scale, one multiplication in float32, codes symmetric in ±(2^(bits-1) - 1). */
export interface IntegerTensor {
  /** That hold every code: those of the widest output channel. */
  readonly bits: IntegerBits | 3;
  /**
   * The width of each output channel, the last axis: 0 (its codes are 0), 2, 3, 4, 8 or 16; null where all have `bits`.
   * With it, `scale` has one step for each output channel.
   */
  readonly channelBits: Uint8Array | null;
  /** The step of the whole tensor, or one for each output channel, the last axis. */
  readonly scale: number | Float32Array;
  readonly shape: readonly number[];
  readonly codes: Int32Array;
}

/** A weight whose learned bit-width is 32, or whose values are those of a codebook. */
export interface FloatTensor {
  readonly bits: 32;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Where blocks of the values are entries of a codebook. */
  readonly codebook?: FrozenCodebook | undefined;
}

/**
 * A weight, as [outputs, inputs] in the order input channel, kernel row, kernel column, whose blocks of neighbouring inputs
 * are entries of a codebook.
 */
export interface FrozenCodebook {
  readonly blockSize: number;
  /** Of each block, those of all outputs before the next piece of them: [inputs / blockSize, outputs]. */
  readonly codes: Uint16Array;
  /** [centroids, blockSize], numbers of float16. */
  readonly centroids: Float32Array;
}

export type FrozenTensor = IntegerTensor | FloatTensor;
