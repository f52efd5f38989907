import type { Rank, Scalar, Tensor, Tensor4D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { InitialGates } from "../../../src/quantizers/create-quantizers.ts";
import type { BaselineLayer } from "../architectures.ts";
import type { Tfjs } from "./load-tfjs.ts";
import { TapeQuantizer } from "./tape-quantizer.ts";

const MOMENTUM = 0.1;
const EPSILON = 1e-5;

export interface TapeLayerOptions {
  readonly name: string;
  readonly layer: BaselineLayer;
  readonly inputs: number;
  readonly batchNorm: boolean;
  /** Logits have no batch normalization, no ReLU, no quantizer, and their weight no pruning gates. */
  readonly last: boolean;
  readonly macShare: number;
  readonly initial: InitialGates;
}

/** Learned scale and shift, and the running statistics that they are folded with. */
interface BatchNorm {
  readonly scale: Variable<Rank.R1>;
  readonly shift: Variable<Rank.R1>;
  readonly mean: Variable<Rank.R1>;
  readonly variance: Variable<Rank.R1>;
}

/** A layer with its two quantizers, on the tape. */
export class TapeLayer {
  readonly quantizers: readonly TapeQuantizer[];
  readonly #tf: Tfjs;
  readonly #options: TapeLayerOptions;
  readonly #weight: Variable;
  readonly #bias: Variable;
  readonly #batchNorm: BatchNorm | null;

  constructor(tf: Tfjs, options: TapeLayerOptions) {
    const { name, layer, inputs, batchNorm, last } = options;
    this.#tf = tf;
    this.#options = options;
    const kernel = layer.kind === "conv" ? [layer.kernel, layer.kernel] : [];
    const bound = 1 / Math.sqrt(kernel.reduce((product, size) => product * size, inputs));
    const vector = (value: number) => tf.fill([layer.outputs], value) as Tensor<Rank.R1>;
    this.#weight = tf.variable(tf.randomUniform([...kernel, inputs, layer.outputs], -bound, bound, "float32", 1));
    this.#bias = tf.variable(vector(0));
    const variable = (value: number, trainable: boolean) => tf.variable(vector(value), trainable);
    this.#batchNorm =
      batchNorm && !last
        ? { scale: variable(1, true), shift: variable(0, true), mean: variable(0, false), variance: variable(1, false) }
        : null;
    const { macShare, initial } = options;
    const shared = { initial, macShare };
    const channels = last ? null : layer.outputs;
    const weight = new TapeQuantizer(tf, { ...shared, name: `${name}.weight`, signed: true, channels });
    const activation = new TapeQuantizer(tf, { ...shared, name, signed: false, channels: null });
    this.quantizers = last ? [weight] : [weight, activation];
  }

  forward(x: Tensor): Tensor {
    const tf = this.#tf;
    const [weightQuantizer, activationQuantizer] = this.quantizers as [TapeQuantizer, TapeQuantizer | undefined];
    const output =
      this.#batchNorm === null
        ? this.#layer(x, weightQuantizer.apply(this.#weight))
        : this.#normalized(x, weightQuantizer, this.#batchNorm);
    if (activationQuantizer === undefined) return tf.add(output, this.#bias);
    const quantized = activationQuantizer.apply(tf.relu(tf.add(output, this.#bias)));
    const { layer } = this.#options;
    return layer.kind === "conv" && layer.pool ? tf.maxPool(quantized as Tensor4D, 2, 2, "valid") : quantized;
  }

  /** The authors' form: the folded weight is quantized; a second convolution, unfolded, gives the batch's statistics. */
  #normalized(x: Tensor, quantizer: TapeQuantizer, { scale, shift, mean, variance }: BatchNorm): Tensor {
    const tf = this.#tf;
    const deviation = tf.sqrt(tf.add(variance, EPSILON));
    const folded = quantizer.apply(tf.div(tf.mul(this.#weight, scale), deviation));
    const plain = tf.add(this.#layer(x, this.#weight), this.#bias);
    const axes = plain.shape.slice(0, -1).map((_, axis) => axis);
    const batch = tf.moments(plain, axes);
    const batchDeviation = tf.sqrt(tf.add(batch.variance, EPSILON));
    tf.tidy(() => {
      for (const [running, now] of [
        [mean, batch.mean],
        [variance, batch.variance],
      ] as const) {
        running.assign(tf.add(tf.mul(running, 1 - MOMENTUM), tf.mul(now as typeof running, MOMENTUM)));
      }
    });
    const rescaled = tf.mul(this.#layer(x, folded), tf.div(deviation, batchDeviation));
    const centre = tf.sub(this.#bias, batch.mean);
    return tf.add(rescaled, tf.add(shift, tf.mul(centre, tf.div(scale, batchDeviation))));
  }

  #layer(x: Tensor, weight: Tensor): Tensor {
    const tf = this.#tf;
    const { layer } = this.#options;
    if (layer.kind === "conv") return tf.conv2d(x as Tensor4D, weight as Tensor4D, 1, layer.padding);
    return tf.matMul(x.reshape([x.shape[0]!, -1]), weight);
  }

  complexity(): Scalar {
    return this.#tf.addN(this.quantizers.map((quantizer) => quantizer.complexity()));
  }

  dispose(): void {
    this.#tf.dispose([this.#weight, this.#bias, ...Object.values(this.#batchNorm ?? {})]);
    for (const quantizer of this.quantizers) quantizer.dispose();
  }
}
