import type * as TensorFlow from "@tensorflow/tfjs-core";
import type { Tensor, Variable } from "../ops.ts";

export type Tfjs = typeof TensorFlow;
export type TfTensor = TensorFlow.Tensor;

export class PortableTensor implements Tensor {
  readonly value: TfTensor;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];

  constructor(value: TfTensor) {
    this.value = value;
    this.shape = value.shape;
    this.dtype = value.dtype === "int32" ? "int32" : "float32";
  }
}

export class PortableVariable implements Variable {
  readonly name: string;
  value: TfTensor;

  constructor(name: string, value: TfTensor) {
    this.name = name;
    this.value = value;
  }

  get shape(): readonly number[] {
    return this.value.shape;
  }
}

/**
 * The TensorFlow.js tensor behind one of ours, of the rank that the caller knows.
 *
 * @throws TypeError at a tensor of another engine.
 */
export function of<T extends TfTensor = TfTensor>(tensor: Tensor): T {
  // TensorFlow.js tells ranks apart by type alone: the shape is the caller's to know.
  if (tensor instanceof PortableTensor) return tensor.value as T;
  throw new TypeError("expected a tensor of the portable engine");
}

/** A variable of this engine. @throws TypeError at one of another. */
export function held(variable: Variable): PortableVariable {
  if (variable instanceof PortableVariable) return variable;
  throw new TypeError("expected a variable of the portable engine");
}

/** Runs TensorFlow.js and owns its results: everything made inside a scope is freed at its end unless kept. */
export class Arena {
  readonly tf: Tfjs;
  readonly #scopes: PortableTensor[][] = [];

  constructor(tf: Tfjs) {
    this.tf = tf;
  }

  /** The result of `body`; what it makes on the way is freed. */
  make(body: (tf: Tfjs) => TfTensor): Tensor {
    return this.own(this.tf.tidy(() => body(this.tf)));
  }

  own(value: TfTensor): PortableTensor {
    const tensor = new PortableTensor(value);
    this.#scopes.at(-1)?.push(tensor);
    return tensor;
  }

  scope<R>(body: () => R, keep: (result: R) => readonly (Tensor | null)[]): R {
    const made: PortableTensor[] = [];
    this.#scopes.push(made);
    let kept: ReadonlySet<Tensor | null> = new Set();
    try {
      const result = body();
      kept = new Set(keep(result));
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of made) {
        if (kept.has(tensor)) this.#scopes.at(-1)?.push(tensor);
        else tensor.value.dispose();
      }
    }
  }

  /** Replaces a variable's value by the result of `body`. */
  update(variable: Variable, body: (tf: Tfjs) => TfTensor): void {
    const target = held(variable);
    const before = target.value;
    target.value = this.tf.tidy(() => body(this.tf));
    before.dispose();
  }
}
