import { createRequire } from "node:module";

/** What TensorFlow's C++ hands back for an output. */
export interface NativeOutput {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

/** The N-API binding that `@tensorflow/tfjs-node-gpu` compiles: eager TensorFlow by numbers. */
export interface Binding {
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array;
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): NativeOutput[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

/** TensorFlow's numbers for element types. */
export const dataTypes = { float32: 1, float64: 2, int32: 3, uint8: 4, bfloat16: 14 } as const;

/**
 * Loads the binding. TensorFlow reads its settings from the environment once, when its library is loaded, so they are
 * set here: oneDNN kernels on, its banner off, and as many threads as asked for.
 */
export function loadBinding(path: string, { threads }: { threads?: number | undefined } = {}): Binding {
  process.env.TF_ENABLE_ONEDNN_OPTS ??= "1";
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  if (threads !== undefined) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.OMP_NUM_THREADS = String(threads);
  }
  // What the compiled file gives, as its source says.
  return createRequire(import.meta.url)(path) as Binding;
}
