import { first } from "../../core/elements.ts";
import type { DataType, Tensor } from "../ops.ts";
import { type Attribute, type Binding, dataTypes } from "./binding.ts";
import { idOf, NativeTensor, native } from "./native-tensor.ts";

type AttributeValue =
  | number
  | boolean
  | string
  | readonly number[]
  | { readonly dtype: number }
  | { readonly float: number };

/** A kernel with its attributes, prepared once: eager TensorFlow caches one compiled kernel per attribute set. */
export interface Kernel {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

const names = new Map<number, DataType>([
  [dataTypes.float32, "float32"],
  [dataTypes.bfloat16, "bfloat16"],
  [dataTypes.int32, "int32"],
  [dataTypes.uint8, "uint8"],
]);

/** Runs kernels and owns their outputs: everything made inside a scope is freed at its end unless kept. */
export class Executor {
  readonly binding: Binding;
  #scopes: NativeTensor[][] = [];
  #kernels = new Map<string, Kernel>();

  constructor(binding: Binding) {
    this.binding = binding;
  }

  /** The kernel `name` with `attributes`. Never pass a learned number: each new set stays in TensorFlow's cache. */
  kernel(name: string, attributes: Readonly<Record<string, AttributeValue>>): Kernel {
    const key = `${name}${JSON.stringify(attributes)}`;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      kernel = { name, attributes: Object.entries(attributes).map(([key, value]) => this.#attribute(key, value)) };
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  /** Whether this build of TensorFlow has the kernels that `trial` runs. */
  has(trial: () => unknown): boolean {
    try {
      this.scope(trial, () => []);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether it has those of kernels.cc that `trial` runs: there are none for GPUs, and in bindings that others have built. */
  hasOwn(trial: () => unknown): boolean {
    return !this.binding.isUsingGpuDevice() && this.has(trial);
  }

  run(kernel: Kernel, inputs: readonly Tensor[]): NativeTensor {
    return first(this.runMany(kernel, inputs, 1));
  }

  runMany({ name, attributes }: Kernel, inputs: readonly Tensor[], outputs: number): NativeTensor[] {
    const ids = inputs.map(idOf);
    return this.binding
      .executeOp(name, attributes, ids, outputs)
      .map(({ id, shape, dtype }) => this.own(new NativeTensor(id, shape, names.get(dtype) ?? "float32")));
  }

  create(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): NativeTensor {
    const dtype = values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "uint8";
    return this.own(new NativeTensor(this.binding.createTensor(shape, dataTypes[dtype], values), shape, dtype));
  }

  /** Downloads. Waits for the computation. */
  read(tensor: Tensor): Float32Array | Int32Array {
    return this.binding.tensorDataSync(idOf(tensor));
  }

  scalar(value: number): NativeTensor {
    return this.create(Float32Array.of(value), []);
  }

  own(tensor: NativeTensor): NativeTensor {
    this.#scopes.at(-1)?.push(tensor);
    return tensor;
  }

  release(tensor: Tensor): void {
    const held = native(tensor);
    if (held.id < 0) return;
    this.binding.deleteTensor(held.id);
    held.id = -1;
  }

  scope<T>(body: () => T, keep: (result: T) => readonly (Tensor | null)[]): T {
    const made: NativeTensor[] = [];
    this.#scopes.push(made);
    let kept: ReadonlySet<Tensor | null> = new Set();
    try {
      const result = body();
      kept = new Set(keep(result));
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of made) {
        if (kept.has(tensor)) this.own(tensor);
        else this.release(tensor);
      }
    }
  }

  #attribute(name: string, value: AttributeValue): Attribute {
    const { binding } = this;
    if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === "string") return { name, type: binding.TF_ATTR_STRING, value };
    if (typeof value === "object" && "dtype" in value) return { name, type: binding.TF_ATTR_TYPE, value: value.dtype };
    if (typeof value === "object" && "float" in value) return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
    return { name, type: binding.TF_ATTR_INT, value };
  }
}
