import { at } from "../../core/elements.ts";
import { uniforms } from "../../core/random.ts";
import type { AdamStep, Ops, Tensor, Variable } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { StoredTensor } from "../../runs/safetensors.ts";
import { storedNumbers } from "../../runs/stored-tensors.ts";

/** Sizes of a perceptron: of what it reads, of its hidden layers, of what it gives. */
export type Sizes = readonly [inputs: number, first: number, second: number, outputs: number];

/** What a forward pass keeps for the way back. */
export interface PerceptronTrace {
  readonly x: Tensor;
  /** Behind the ReLUs. */
  readonly hidden: readonly [Tensor, Tensor];
  readonly output: Tensor;
}

const layers = [0, 1, 2] as const;

/** An optimizer's moments are beside each variable. */
interface Trained {
  readonly variable: Variable;
  readonly moments: readonly [Variable, Variable];
}

/**
 * Three dense layers with a ReLU behind each of the first two, and the Adam optimizer that trains them, on the engine.
 * Calls but `train`, `moveTowards` and `restore` belong into a scope.
 */
export class Perceptron {
  readonly #ops: Ops;
  readonly #trained: readonly { readonly weight: Trained; readonly bias: Trained }[];
  #steps = 0;

  /** Weights are uniform within 1/sqrt(inputs of the layer) at first: a function of `seed` and `name`. */
  constructor(ops: Ops, sizes: Sizes, { name, seed }: { readonly name: string; readonly seed: number }) {
    this.#ops = ops;
    const zeros = (shape: readonly number[]) => new Float32Array(elementsOf(shape));
    this.#trained = layers.map((layer) => {
      const [inputs, outputs] = [at(sizes, layer), at(sizes, layer + 1)];
      const trained = (part: string, shape: readonly number[]): Trained => {
        const stream = `${name}/${layer}/${part}`;
        const bound = 1 / Math.sqrt(inputs);
        const drawn = uniforms({ seed, stream, counter: 0 }, zeros(shape).length);
        const moment = (of: string) => ops.variable(`${stream}/${of}`, zeros(shape), shape);
        return {
          variable: ops.variable(
            stream,
            Float32Array.from(drawn, (u) => (2 * u - 1) * bound),
            shape,
          ),
          moments: [moment("first"), moment("second")],
        };
      };
      return { weight: trained("weight", [inputs, outputs]), bias: trained("bias", [outputs]) };
    });
  }

  /** @param x [rows, inputs] */
  forward(x: Tensor): PerceptronTrace {
    const ops = this.#ops;
    const dense = (layer: number, input: Tensor) => {
      const { weight, bias } = at(this.#trained, layer);
      return ops.addBias(ops.matmul(input, ops.value(weight.variable)), ops.value(bias.variable));
    };
    const first = ops.relu(dense(0, x));
    const second = ops.relu(dense(1, first));
    return { x, hidden: [first, second], output: dense(2, second) };
  }

  /** The gradient by what it reads, [rows, inputs], of that by what it gives. */
  inputGradient(trace: PerceptronTrace, gradient: Tensor): Tensor {
    const [first] = this.#preactivations(trace, gradient);
    return this.#back(0, first);
  }

  /** One Adam step against the gradient by what it gives; `pass` gives both, and is freed before anything changes. */
  train(learningRate: number, pass: () => { readonly trace: PerceptronTrace; readonly gradient: Tensor }): void {
    const ops = this.#ops;
    const gradients = ops.scope(
      () => {
        const { trace, gradient } = pass();
        const sources = [trace.x, ...trace.hidden];
        return this.#preactivations(trace, gradient).map((inner, layer) => ({
          weight: ops.matmul(at(sources, layer), inner, { transposeA: true }),
          bias: ops.sumPerChannel(inner),
        }));
      },
      (made) => made.flatMap(({ weight, bias }) => [weight, bias]),
    );
    const options: AdamStep = { learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: ++this.#steps };
    for (const [layer, { weight, bias }] of gradients.entries()) {
      const trained = at(this.#trained, layer);
      ops.adam(trained.weight.variable, trained.weight.moments, weight, options);
      ops.adam(trained.bias.variable, trained.bias.moments, bias, options);
      ops.release(weight);
      ops.release(bias);
    }
  }

  /** Moves every weight by this share of its distance to another perceptron's. */
  moveTowards(other: Perceptron, share: number): void {
    const ops = this.#ops;
    const minusShare = Float32Array.of(1 - share);
    const plusShare = Float32Array.of(share);
    for (const [layer, own] of this.#trained.entries()) {
      const target = at(other.#trained, layer);
      for (const part of ["weight", "bias"] as const) {
        const moved = ops.scope(
          () => {
            const kept = ops.multiply(ops.value(own[part].variable), ops.tensor(minusShare, []));
            const added = ops.multiply(ops.value(target[part].variable), ops.tensor(plusShare, []));
            return readFloats(ops, ops.add(kept, added)).slice();
          },
          () => [],
        );
        ops.assign(own[part].variable, moved);
      }
    }
  }

  /** Weights, moments and steps, by name. */
  get tensors(): ReadonlyMap<string, StoredTensor> {
    const stored = new Map([["steps", storedNumbers([this.#steps])]]);
    for (const [name, variable] of this.#variables) {
      const values = this.#ops.scope(
        () => readFloats(this.#ops, this.#ops.value(variable)).slice(),
        () => [],
      );
      stored.set(name, { shape: variable.shape, values });
    }
    return stored;
  }

  /** Takes what `tensors` gave; what is not named stays. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    this.#steps = tensors.get("steps")?.values[0] ?? this.#steps;
    for (const [name, variable] of this.#variables) {
      const stored = tensors.get(name);
      if (stored !== undefined) this.#ops.assign(variable, Float32Array.from(stored.values));
    }
  }

  dispose(): void {
    for (const [, variable] of this.#variables) this.#ops.dispose(variable);
  }

  /** The gradients by what each layer gives, before its ReLU. */
  #preactivations({ hidden: [first, second] }: PerceptronTrace, gradient: Tensor): readonly [Tensor, Tensor, Tensor] {
    const inner = this.#ops.reluGradient(second, this.#back(2, gradient));
    return [this.#ops.reluGradient(first, this.#back(1, inner)), inner, gradient];
  }

  #back(layer: number, gradient: Tensor): Tensor {
    const weight = this.#ops.value(at(this.#trained, layer).weight.variable);
    return this.#ops.matmul(gradient, weight, { transposeB: true });
  }

  get #variables(): readonly (readonly [string, Variable])[] {
    return this.#trained.flatMap((parts, layer) =>
      (["weight", "bias"] as const).flatMap((part) => {
        const { variable, moments } = parts[part];
        const name = `${layer}/${part}`;
        return [
          [name, variable] as const,
          [`${name}/first`, moments[0]] as const,
          [`${name}/second`, moments[1]] as const,
        ];
      }),
    );
  }
}
