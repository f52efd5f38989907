import type { DataType, Tensor, Variable } from "../ops.ts";

/** A tensor handle of TensorFlow; -1 once it is released. */
export class NativeTensor implements Tensor {
  id: number;
  readonly shape: readonly number[];
  readonly dtype: DataType;

  constructor(id: number, shape: readonly number[], dtype: DataType) {
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
  }
}

/** A resource variable of TensorFlow, updated in place by fused optimizer kernels. */
export class NativeVariable implements Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly handle: number;

  constructor(name: string, shape: readonly number[], handle: number) {
    this.name = name;
    this.shape = shape;
    this.handle = handle;
  }
}
