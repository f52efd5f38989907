import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { InitialGates } from "../../../src/quantizers/create-quantizers.ts";
import type { Tfjs } from "./load-tfjs.ts";

const BETA = 2 / 3;
const GAMMA = -0.1;
const ZETA = 1.1;

export interface TapeQuantizerOptions {
  readonly name: string;
  readonly signed: boolean;
  /** Channels that can be pruned; null: none. */
  readonly channels: number | null;
  readonly initial: InitialGates;
  readonly macShare: number;
}

/** The paper's quantizer formula by formula, on the tape: residuals one after the other, gates as tensors. */
export class TapeQuantizer {
  /** The learned end of the range; set from the first tensor that is quantized. */
  readonly range: Variable;
  readonly #tf: Tfjs;
  readonly #signed: boolean;
  readonly #macShare: number;
  readonly #prune: Variable | null;
  readonly #phi: readonly Variable[];
  readonly #round: (x: Tensor) => Tensor;
  #initialized = false;

  constructor(tf: Tfjs, { name, signed, channels, initial, macShare }: TapeQuantizerOptions) {
    this.#tf = tf;
    this.#signed = signed;
    this.#macShare = macShare;
    this.range = tf.variable(tf.scalar(1), true, `${name}.range`);
    this.#prune = channels === null ? null : tf.variable(tf.fill([channels], initial.prune), true, `${name}.phi2`);
    const { bits4, bits8, bits16, bits32 } = initial;
    this.#phi = [bits4, bits8, bits16, bits32].map((phi, level) =>
      tf.variable(tf.scalar(phi), true, `${name}.phi${4 << level}`),
    );
    this.#round = tf.customGrad((x) => ({ value: tf.round(x as Tensor), gradFunc: (dy: Tensor) => dy }));
  }

  /** x_q = z_2·(x_2 + z_4·(e_4 + z_8·(e_8 + …))), the range clipped as PACT clips it. */
  apply<T extends Tensor>(x: T): T {
    const tf = this.#tf;
    if (!this.#initialized) {
      this.range.assign(tf.tidy(() => tf.maximum(tf.max(x), 1e-3) as Scalar));
      this.#initialized = true;
    }
    const clipped = this.#clip(x);
    let step = tf.div(this.#signed ? tf.mul(this.range, 2) : this.range, 3);
    let sum = tf.mul(step, this.#round(tf.div(clipped, step)));
    const residuals = [sum];
    const gates: Tensor[] = [];
    for (const [level, phi] of this.#phi.entries()) {
      if (phi.dataSync()[0]! <= -2) break;
      step = tf.div(step, 2 ** (2 << level) + 1);
      const residual = tf.mul(step, this.#round(tf.div(tf.sub(clipped, sum), step)));
      sum = tf.add(sum, residual);
      residuals.push(residual);
      gates.push(this.#sample(phi));
    }
    let output = residuals.at(-1)!;
    for (let level = gates.length - 1; level >= 0; level--) {
      output = tf.add(residuals[level]!, tf.mul(gates[level]!, output));
    }
    return (this.#prune === null ? output : tf.mul(output, this.#sample(this.#prune))) as T;
  }

  /** The range is spread over x first: tfjs's gradient of minimum does not sum over what it broadcasts. */
  #clip(x: Tensor): Tensor {
    const tf = this.#tf;
    const high = tf.mul(tf.onesLike(x), tf.mul(this.range, 1 - 1e-7));
    return tf.minimum(this.#signed ? tf.maximum(x, tf.neg(high)) : tf.relu(x), high);
  }

  /** R_k of the objective. */
  complexity(): Scalar {
    const tf = this.#tf;
    const open = (phi: Tensor) => tf.sigmoid(tf.sub(phi, BETA * Math.log(-GAMMA / ZETA)));
    let product: Tensor = this.#prune === null ? tf.scalar(1) : tf.mean(open(this.#prune));
    let sum: Tensor = tf.mul(product, this.#prune === null ? 1 : 2 * this.#macShare);
    for (const [level, phi] of this.#phi.entries()) {
      product = tf.mul(product, open(phi));
      sum = tf.add(sum, tf.mul(product, (4 << level) * this.#macShare));
    }
    return sum as Scalar;
  }

  dispose(): void {
    this.#tf.dispose([this.range, ...this.#phi, ...(this.#prune === null ? [] : [this.#prune])]);
  }

  /** A hard-concrete sample per element of phi. */
  #sample(phi: Tensor): Tensor {
    const tf = this.#tf;
    const u = tf.randomUniform(phi.shape as Tensor1D["shape"], 1e-6, 1 - 1e-6);
    const logits = tf.sub(tf.log(u), tf.log(tf.sub(1, u)));
    const s = tf.sigmoid(tf.div(tf.add(logits, phi), BETA));
    return tf.clipByValue(tf.add(tf.mul(s, ZETA - GAMMA), GAMMA), 0, 1);
  }
}
