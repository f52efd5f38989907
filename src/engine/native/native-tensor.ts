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

/** A tensor of this engine. @throws TypeError at one of another. */
export function native(tensor: Tensor): NativeTensor {
  if (tensor instanceof NativeTensor) return tensor;
  throw new TypeError("expected a tensor of the native engine");
}

/** The handle of a tensor of this engine. */
export const idOf = (tensor: Tensor): number => native(tensor).id;

/** The handle of a variable of this engine. @throws TypeError at one of another. */
export function handleOf(variable: Variable): number {
  if (variable instanceof NativeVariable) return variable.handle;
  throw new TypeError("expected a variable of the native engine");
}
