import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { wholePower } from "../core/powers.ts";
import type { Ops, Tensor, Variable } from "../engine/ops.ts";
import { readFloats } from "../engine/read-floats.ts";
import { elementsOf } from "../graph/shape.ts";

/** How a group of parameters is updated; the learning rate comes with each update, from the group's schedule. */
export type OptimizerOptions =
  | { readonly optimizer: "adam"; readonly weightDecay: number }
  | {
      readonly optimizer: "sgd";
      readonly momentum: number;
      readonly weightDecay: number;
      /** Whether steps look ahead (Nesterov); they do if left out. */
      readonly nesterov?: boolean | undefined;
    };

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

type Numbers = Float32Array | Float64Array;

/** The moments of one parameter; SGD has no second one. */
export type MomentPair = readonly [first: Numbers, second: Numbers | null];

/** Moments by parameter, as checkpoints hold them. */
export type Moments = ReadonlyMap<string, MomentPair>;

/** Adam (Kingma and Ba, 2015) or SGD with momentum, both as PyTorch's, for tensors of the engine. */
export class EngineOptimizer {
  readonly #ops: Ops;
  readonly #options: OptimizerOptions;
  readonly #moments = new Map<string, readonly [Variable, Variable | null]>();
  readonly #variables: ReadonlyMap<string, Variable>;

  constructor(ops: Ops, options: OptimizerOptions, variables: ReadonlyMap<string, Variable>) {
    this.#ops = ops;
    this.#options = options;
    this.#variables = variables;
    for (const [name, { shape }] of variables) {
      const zeros = () => new Float32Array(elementsOf(shape));
      const first = ops.variable(`${name}.first`, zeros(), shape);
      this.#moments.set(name, [
        first,
        options.optimizer === "adam" ? ops.variable(`${name}.second`, zeros(), shape) : null,
      ]);
    }
  }

  /** One update; `step` counts from 1, `shares` are those of the learning rate that some variables have. */
  update(
    gradients: ReadonlyMap<string, Tensor>,
    options: { learningRate: number; step: number },
    shares: ReadonlyMap<string, number> = new Map(),
  ): void {
    const ops = this.#ops;
    const { step } = options;
    for (const [name, gradient] of gradients) {
      const learningRate = options.learningRate * (shares.get(name) ?? 1);
      const variable = lookup(this.#variables, name);
      const [first, second] = lookup(this.#moments, name);
      const decayed = this.#decay(variable, gradient);
      if (this.#options.optimizer === "sgd") {
        const { momentum, nesterov = true } = this.#options;
        ops.momentum(variable, first, decayed, { learningRate, momentum, nesterov });
      } else {
        ops.adam(variable, [first, second!], decayed, {
          learningRate,
          beta1: BETA_1,
          beta2: BETA_2,
          epsilon: EPSILON,
          step,
        });
      }
    }
  }

  get moments(): Moments {
    const read = (variable: Variable) =>
      this.#ops.scope(
        () => readFloats(this.#ops, this.#ops.value(variable)),
        () => [],
      );
    return new Map(
      Array.from(this.#moments, ([name, [first, second]]) => [name, [read(first), second && read(second)]] as const),
    );
  }

  restore(moments: Moments): void {
    for (const [name, [first, second]] of this.#moments) {
      const saved = lookup(moments, name);
      this.#ops.assign(first, Float32Array.from(saved[0]));
      if (second) this.#ops.assign(second, Float32Array.from(saved[1]!));
    }
  }

  dispose(): void {
    for (const pair of this.#moments.values()) for (const moment of pair) if (moment) this.#ops.dispose(moment);
  }

  /** The gradient with the pull of weight decay; the read of the variable is released before its update. */
  #decay(variable: Variable, gradient: Tensor): Tensor {
    const { weightDecay } = this.#options;
    if (weightDecay === 0) return gradient;
    const ops = this.#ops;
    return ops.scope(
      () => ops.add(gradient, ops.multiply(ops.value(variable), ops.tensor(Float32Array.of(weightDecay), []))),
      (sum) => [sum],
    );
  }
}

/** The same for the few numbers that live on the host: gates and ranges. */
export class HostOptimizer {
  readonly #options: OptimizerOptions;
  readonly #moments = new Map<string, readonly [Float64Array, Float64Array]>();

  constructor(options: OptimizerOptions) {
    this.#options = options;
  }

  /** Updates `values` in place; `step` counts from 1. */
  update(
    name: string,
    values: Float64Array,
    gradient: ArrayLike<number>,
    { learningRate, step }: { learningRate: number; step: number },
  ): void {
    const [first, second] = this.#momentsOf(name, values.length);
    const options = this.#options;
    const [left1, left2] = [1 - wholePower(BETA_1, step), 1 - wholePower(BETA_2, step)];
    for (let index = 0; index < values.length; index++) {
      const value = at(values, index);
      const slope = at(gradient, index) + options.weightDecay * value;
      if (options.optimizer === "sgd") {
        const { momentum, nesterov = true } = options;
        const velocity = momentum * at(first, index) + slope;
        first[index] = velocity;
        values[index] = value - learningRate * (nesterov ? slope + momentum * velocity : velocity);
        continue;
      }
      first[index] = BETA_1 * first[index]! + (1 - BETA_1) * slope;
      second[index] = BETA_2 * second[index]! + (1 - BETA_2) * slope * slope;
      const mean = first[index]! / left1;
      const deviation = Math.sqrt(second[index]! / left2);
      values[index]! -= (learningRate * mean) / (deviation + EPSILON);
    }
  }

  get moments(): Moments {
    return this.#moments;
  }

  restore(moments: Moments): void {
    for (const [name, [first, second]] of moments) {
      this.#moments.set(name, [Float64Array.from(first), Float64Array.from(second!)]);
    }
  }

  #momentsOf(name: string, length: number): readonly [Float64Array, Float64Array] {
    let moments = this.#moments.get(name);
    if (moments === undefined) {
      moments = [new Float64Array(length), new Float64Array(length)];
      this.#moments.set(name, moments);
    }
    return moments;
  }
}
