import type * as TensorFlow from "@tensorflow/tfjs-core";
import { codeLimits, stepSize } from "../../quantization/grid.ts";
import { clipFactor } from "../../quantization/levels.ts";
import type {
  AdamStep,
  Conv2dGeometry,
  MomentumStep,
  Ops,
  Pooled,
  PoolGeometry,
  QuantizeOptions,
  Tensor,
  Variable,
} from "../ops.ts";
import { maxPoolGradient } from "./max-pool-gradient.ts";

type Tfjs = typeof TensorFlow;
type TfTensor = TensorFlow.Tensor;

/** As in the native implementation: elements this close to the range's end count as clipped. */
const RANGE_MARGIN = 3e-7;

class PortableTensor implements Tensor {
  readonly value: TfTensor;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];

  constructor(value: TfTensor) {
    this.value = value;
    this.shape = value.shape;
    this.dtype = value.dtype === "int32" ? "int32" : "float32";
  }
}

class PortableVariable implements Variable {
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

const of = <T extends TfTensor = TfTensor>(tensor: Tensor): T => (tensor as PortableTensor).value as T;

/** The same operations on WebAssembly kernels: everywhere, slowly. */
export class PortableOps implements Ops {
  readonly #tf: Tfjs;
  readonly #scopes: PortableTensor[][] = [];

  constructor(tf: Tfjs) {
    this.#tf = tf;
  }

  tensor(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Tensor {
    // TensorFlow.js has no bytes: pixels are int32 there.
    const held = values instanceof Uint8Array ? Int32Array.from(values) : values;
    return this.#own(this.#tf.tensor(held, [...shape], held instanceof Float32Array ? "float32" : "int32"));
  }

  read(x: Tensor): Float32Array | Int32Array {
    return of(x).dataSync().slice() as Float32Array | Int32Array;
  }

  scalar(x: Tensor): number {
    return of(x).dataSync()[0]!;
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
        else this.release(tensor);
      }
    }
  }

  release(x: Tensor): void {
    of(x).dispose();
  }

  liveTensors(): number {
    return this.#tf.memory().numTensors;
  }

  conv2d(x: Tensor, weight: Tensor, { stride, padding }: Conv2dGeometry): Tensor {
    return this.#make((tf) => tf.conv2d(this.#padded(x, padding), of<TensorFlow.Tensor4D>(weight), stride, "valid"));
  }

  conv2dInputGradient(
    inputShape: readonly number[],
    weight: Tensor,
    gradient: Tensor,
    { stride, padding }: Conv2dGeometry,
  ): Tensor {
    const [batch, height, width, channels] = inputShape as [number, number, number, number];
    const { top, bottom, left, right } = padding;
    return this.#make((tf) => {
      const shape: [number, number, number, number] = [batch, height + top + bottom, width + left + right, channels];
      const whole = tf.conv2dTranspose(
        of<TensorFlow.Tensor4D>(gradient),
        of<TensorFlow.Tensor4D>(weight),
        shape,
        stride,
        "valid",
      );
      return tf.slice(whole, [0, top, left, 0], [batch, height, width, channels]);
    });
  }

  /** No kernel for it: the convolution of images by gradients, with batch and channels swapped. */
  conv2dWeightGradient(
    x: Tensor,
    weightShape: readonly number[],
    gradient: Tensor,
    { stride, padding }: Conv2dGeometry,
  ): Tensor {
    const [height, width, inputs, outputs] = weightShape as [number, number, number, number];
    return this.#make((tf) => {
      const images = tf.transpose(this.#padded(x, padding), [3, 1, 2, 0]);
      const filters = tf.transpose(of<TensorFlow.Tensor4D>(gradient), [1, 2, 0, 3]);
      const swapped = tf.conv2d(images, filters, 1, "valid", "NHWC", stride);
      return tf.transpose(tf.slice(swapped, [0, 0, 0, 0], [inputs, height, width, outputs]), [1, 2, 0, 3]);
    });
  }

  matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor {
    return this.#make((tf) => tf.matMul(of(a), of(b), transposeA, transposeB));
  }

  maxPool(x: Tensor, { size, stride }: PoolGeometry): Pooled {
    const output = this.#make((tf) => tf.maxPool(of<TensorFlow.Tensor4D>(x), size, stride, "valid"));
    return { output, workspace: null };
  }

  maxPoolGradient(x: Tensor, { output }: Pooled, gradient: Tensor, geometry: PoolGeometry): Tensor {
    const values = maxPoolGradient(this.read(x), x.shape, this.read(gradient), output.shape, geometry);
    return this.tensor(values, x.shape);
  }

  addBias(x: Tensor, bias: Tensor): Tensor {
    return this.add(x, bias);
  }

  sumPerChannel(x: Tensor): Tensor {
    return this.#make((tf) => tf.sum(tf.reshape(of(x), [-1, x.shape.at(-1)!]), 0));
  }

  relu(x: Tensor): Tensor {
    return this.#make((tf) => tf.relu(of(x)));
  }

  reluGradient(output: Tensor, gradient: Tensor): Tensor {
    return this.#make((tf) => tf.mul(of(gradient), tf.cast(tf.greater(of(output), 0), "float32")));
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    return this.#make((tf) => tf.reshape(of(x), [...shape]));
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#make((tf) => tf.add(of(a), of(b)));
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    return this.#make((tf) => tf.mul(of(a), of(b)));
  }

  dot(a: Tensor, b: Tensor): Tensor {
    return this.#make((tf) => tf.sum(tf.mul(of(a), of(b))));
  }

  quantize(x: Tensor, { bits, signed, xMax }: QuantizeOptions): Tensor {
    const high = xMax * clipFactor;
    return this.#make((tf) => {
      const clipped = tf.clipByValue(of(x), signed ? -high : 0, high);
      if (bits === 32) return clipped;
      const step = stepSize(bits, { xMax, signed });
      const [lowest, highest] = codeLimits(bits, signed);
      return tf.mul(tf.clipByValue(tf.round(tf.div(clipped, step)), lowest, highest), step);
    });
  }

  rangeMask(x: Tensor, gradient: Tensor, { signed, xMax }: { signed: boolean; xMax: number }): Tensor {
    const end = xMax * (1 - RANGE_MARGIN);
    return this.#make((tf) => {
      const inside = tf.logicalAnd(tf.less(of(x), end), tf.greater(of(x), signed ? -end : 0));
      return tf.mul(of(gradient), tf.cast(inside, "float32"));
    });
  }

  normalize(pixels: Tensor, { mean, deviation }: { mean: readonly number[]; deviation: readonly number[] }): Tensor {
    return this.#make((tf) => {
      const factor = tf.tensor1d(deviation.map((value) => 1 / (255 * value)));
      const shift = tf.tensor1d(mean.map((value, channel) => value / deviation[channel]!));
      return tf.sub(tf.mul(tf.cast(of(pixels), "float32"), factor), shift);
    });
  }

  crossEntropy(logits: Tensor, labels: Tensor): { readonly loss: Tensor; readonly gradient: Tensor } {
    const [batch, classes] = logits.shape as [number, number];
    const truth = (tf: Tfjs) => tf.cast(tf.oneHot(of<TensorFlow.Tensor1D>(labels), classes), "float32");
    const loss = this.#make((tf) => {
      const shifted = tf.sub(of(logits), tf.max(of(logits), 1, true));
      const logSum = tf.log(tf.sum(tf.exp(shifted), 1, true));
      return tf.div(tf.sum(tf.mul(truth(tf), tf.sub(logSum, shifted))), batch);
    });
    const gradient = this.#make((tf) => tf.div(tf.sub(tf.softmax(of(logits)), truth(tf)), batch));
    return { loss, gradient };
  }

  argMax(logits: Tensor): Tensor {
    return this.#make((tf) => tf.argMax(of(logits), 1));
  }

  variable(name: string, values: Float32Array, shape: readonly number[]): Variable {
    return new PortableVariable(name, this.#tf.tensor(Float32Array.from(values), [...shape]));
  }

  value(variable: Variable): Tensor {
    return this.#own(this.#tf.clone((variable as PortableVariable).value));
  }

  assign(variable: Variable, values: Float32Array): void {
    this.#update(variable, (tf) => tf.tensor(Float32Array.from(values), [...variable.shape]));
  }

  dispose(variable: Variable): void {
    (variable as PortableVariable).value.dispose();
  }

  adam(
    variable: Variable,
    moments: readonly [Variable, Variable],
    gradient: Tensor,
    { learningRate, beta1, beta2, epsilon, step }: AdamStep,
  ): void {
    const [first, second] = moments as readonly [PortableVariable, PortableVariable];
    this.#update(first, (tf) => tf.add(tf.mul(first.value, beta1), tf.mul(of(gradient), 1 - beta1)));
    this.#update(second, (tf) => tf.add(tf.mul(second.value, beta2), tf.mul(tf.square(of(gradient)), 1 - beta2)));
    this.#update(variable, (tf) => {
      const deviation = tf.sqrt(tf.div(second.value, 1 - beta2 ** step));
      const rate = learningRate / (1 - beta1 ** step);
      return tf.sub(
        (variable as PortableVariable).value,
        tf.mul(tf.div(first.value, tf.add(deviation, epsilon)), rate),
      );
    });
  }

  nesterov(variable: Variable, velocity: Variable, gradient: Tensor, { learningRate, momentum }: MomentumStep): void {
    const moving = velocity as PortableVariable;
    this.#update(moving, (tf) => tf.add(tf.mul(moving.value, momentum), of(gradient)));
    this.#update(variable, (tf) => {
      const step = tf.add(of(gradient), tf.mul(moving.value, momentum));
      return tf.sub((variable as PortableVariable).value, tf.mul(step, learningRate));
    });
  }

  /** The result of `body`; what it makes on the way is freed. */
  #make(body: (tf: Tfjs) => TfTensor): Tensor {
    return this.#own(this.#tf.tidy(() => body(this.#tf)));
  }

  #own(value: TfTensor): PortableTensor {
    const tensor = new PortableTensor(value);
    this.#scopes.at(-1)?.push(tensor);
    return tensor;
  }

  #update(variable: Variable, body: (tf: Tfjs) => TfTensor): void {
    const held = variable as PortableVariable;
    const before = held.value;
    held.value = this.#tf.tidy(() => body(this.#tf));
    before.dispose();
  }

  #padded(x: Tensor, { top, bottom, left, right }: Conv2dGeometry["padding"]): TensorFlow.Tensor4D {
    const image = of<TensorFlow.Tensor4D>(x);
    if (top + bottom + left + right === 0) return image;
    return this.#tf.pad(image, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
  }
}
