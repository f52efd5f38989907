export type DataType = "float32" | "bfloat16" | "int32" | "uint8";

/** What convolutions and matrix products of training compute in; everything else is float32. */
export type Precision = "float32" | "bfloat16";

/** A buffer of the engine. Images are [batch, height, width, channels]; the engine owns the memory. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}
