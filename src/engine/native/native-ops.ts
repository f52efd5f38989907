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
import { type Binding, dataTypes } from "./binding.ts";
import { Executor } from "./executor.ts";
import { NativeTensor, NativeVariable } from "./native-tensor.ts";

const T = { T: { dtype: dataTypes.float32 } } as const;
const INDEX = { dtype: dataTypes.int32 } as const;
/** The shared name that makes a resource variable anonymous: each handle is a variable of its own. */
const ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";
/** Elements within this relative distance of the range's end count as clipped: xMax starts as an exact weight. */
const RANGE_MARGIN = 3e-7;
/** Range factor of the clip (ARCHITECTURE.md, "The method" 1). */
const CLIP_FACTOR = 1 - 1e-7;

/** Raw TensorFlow kernels through the binding, chosen by measurement: see ARCHITECTURE.md. */
export class NativeOps implements Ops {
  readonly #run: Executor;
  /** oneDNN's max-pooling, where this build of TensorFlow has it: its gradient is 30 times faster. */
  readonly #oneDnnPooling: boolean;

  constructor(binding: Binding) {
    this.#run = new Executor(binding);
    this.#oneDnnPooling = this.#hasOneDnnPooling();
  }

  tensor(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Tensor {
    return this.#run.create(values, shape);
  }

  read(x: Tensor): Float32Array | Int32Array {
    return this.#run.binding.tensorDataSync((x as NativeTensor).id);
  }

  scalar(x: Tensor): number {
    return this.read(x)[0]!;
  }

  scope<R>(body: () => R, keep: (result: R) => readonly (Tensor | null)[]): R {
    return this.#run.scope(body, keep);
  }

  release(x: Tensor): void {
    this.#run.release(x as NativeTensor);
  }

  liveTensors(): number {
    return this.#run.binding.getNumOfTensors();
  }

  conv2d(x: Tensor, weight: Tensor, geometry: Conv2dGeometry): Tensor {
    return this.#run.run(this.#convolution("Conv2D", geometry), [x, weight]);
  }

  conv2dInputGradient(
    inputShape: readonly number[],
    weight: Tensor,
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor {
    const sizes = this.#run.create(Int32Array.from(inputShape), [4]);
    return this.#run.run(this.#convolution("Conv2DBackpropInput", geometry), [sizes, weight, gradient]);
  }

  conv2dWeightGradient(x: Tensor, weightShape: readonly number[], gradient: Tensor, geometry: Conv2dGeometry): Tensor {
    const sizes = this.#run.create(Int32Array.from(weightShape), [4]);
    return this.#run.run(this.#convolution("Conv2DBackpropFilter", geometry), [x, sizes, gradient]);
  }

  matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor {
    return this.#run.run(this.#run.kernel("MatMul", { ...T, transpose_a: transposeA, transpose_b: transposeB }), [
      a,
      b,
    ]);
  }

  maxPool(x: Tensor, geometry: PoolGeometry): Pooled {
    if (!this.#oneDnnPooling) {
      return { output: this.#run.run(this.#run.kernel("MaxPool", pooling(geometry)), [x]), workspace: null };
    }
    const kernel = this.#run.kernel("_MklNativeMaxPool", { ...pooling(geometry), ...oneDnn });
    const [output, workspace] = this.#run.runMany(kernel, [x], 2);
    return { output: output!, workspace: workspace! };
  }

  maxPoolGradient(x: Tensor, { output, workspace }: Pooled, gradient: Tensor, geometry: PoolGeometry): Tensor {
    if (workspace === null) {
      return this.#run.run(this.#run.kernel("MaxPoolGrad", pooling(geometry)), [x, output, gradient]);
    }
    const kernel = this.#run.kernel("_MklNativeMaxPoolGrad", { ...pooling(geometry), ...oneDnn });
    return this.#run.run(kernel, [x, output, gradient, workspace]);
  }

  addBias(x: Tensor, bias: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("BiasAdd", { ...T, data_format: "NHWC" }), [x, bias]);
  }

  sumPerChannel(x: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("BiasAddGrad", { ...T, data_format: "NHWC" }), [x]);
  }

  relu(x: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("Relu", T), [x]);
  }

  reluGradient(output: Tensor, gradient: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("ReluGrad", T), [gradient, output]);
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    const target = this.#run.create(Int32Array.from(shape), [shape.length]);
    return this.#run.run(this.#run.kernel("Reshape", { ...T, Tshape: INDEX }), [x, target]);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("AddV2", T), [a, b]);
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    return this.#run.run(this.#run.kernel("Mul", T), [a, b]);
  }

  dot(a: Tensor, b: Tensor): Tensor {
    const elements = a.shape.reduce((product, size) => product * size, 1);
    const product = this.matmul(this.reshape(a, [1, elements]), this.reshape(b, [elements, 1]));
    return this.reshape(product, []);
  }

  quantize(x: Tensor, { bits, signed, xMax }: QuantizeOptions): Tensor {
    if (bits === 32) {
      const high = Math.fround(xMax * CLIP_FACTOR);
      const [low, top] = [this.#run.scalar(signed ? -high : 0), this.#run.scalar(high)];
      return this.#run.run(this.#run.kernel("ClipByValue", T), [x, low, top]);
    }
    // The signed grid is symmetric: its ends are the outermost codes ±(2^(b-1) - 1), half a step inside ±xMax.
    const end = signed ? (xMax * (2 ** bits - 2)) / (2 ** bits - 1) : xMax;
    const kernel = this.#run.kernel("FakeQuantWithMinMaxVars", { num_bits: bits, narrow_range: signed });
    return this.#run.run(kernel, [x, this.#run.scalar(signed ? -end : 0), this.#run.scalar(end)]);
  }

  rangeMask(x: Tensor, gradient: Tensor, { signed, xMax }: { signed: boolean; xMax: number }): Tensor {
    const end = xMax * (1 - RANGE_MARGIN);
    if (signed) {
      const kernel = this.#run.kernel("FakeQuantWithMinMaxVarsGradient", { num_bits: 16, narrow_range: true });
      return this.#run.runMany(kernel, [gradient, x, this.#run.scalar(-end), this.#run.scalar(end)], 3)[0]!;
    }
    // ReLU6's gradient is the mask of (0, 6) in one pass: stretch the range onto it.
    const stretched = this.multiply(x, this.#run.scalar(6 / end));
    return this.#run.run(this.#run.kernel("Relu6Grad", T), [gradient, stretched]);
  }

  normalize(pixels: Tensor, { mean, deviation }: { mean: readonly number[]; deviation: readonly number[] }): Tensor {
    const cast = this.#run.kernel("Cast", {
      SrcT: { dtype: dataTypes.uint8 },
      DstT: { dtype: dataTypes.float32 },
      Truncate: false,
    });
    const factor = Float32Array.from(deviation, (value) => 1 / (255 * value));
    const scaled = this.multiply(this.#run.run(cast, [pixels]), this.#run.create(factor, [factor.length]));
    if (mean.every((value) => value === 0)) return scaled;
    const shift = Float32Array.from(mean, (value, channel) => -value / deviation[channel]!);
    return this.add(scaled, this.#run.create(shift, [shift.length]));
  }

  crossEntropy(logits: Tensor, labels: Tensor): { loss: Tensor; gradient: Tensor } {
    const [batch] = logits.shape as [number];
    const kernel = this.#run.kernel("SparseSoftmaxCrossEntropyWithLogits", { ...T, Tlabels: INDEX });
    const [losses, gradients] = this.#run.runMany(kernel, [logits, labels], 2) as [NativeTensor, NativeTensor];
    const mean = this.#run.kernel("Mean", { ...T, Tidx: INDEX, keep_dims: false });
    const loss = this.#run.run(mean, [losses, this.#run.create(Int32Array.of(0), [1])]);
    return { loss, gradient: this.multiply(gradients, this.#run.scalar(1 / batch)) };
  }

  argMax(logits: Tensor): Tensor {
    const axis = this.#run.create(Int32Array.of(1), []);
    return this.#run.run(this.#run.kernel("ArgMax", { ...T, Tidx: INDEX, output_type: INDEX }), [logits, axis]);
  }

  variable(name: string, values: Float32Array, shape: readonly number[]): Variable {
    const { binding } = this.#run;
    const attributes = [
      { name: "dtype", type: binding.TF_ATTR_TYPE, value: dataTypes.float32 },
      { name: "shape", type: binding.TF_ATTR_SHAPE, value: shape },
      { name: "container", type: binding.TF_ATTR_STRING, value: "" },
      { name: "shared_name", type: binding.TF_ATTR_STRING, value: ANONYMOUS },
    ];
    const [handle] = binding.executeOp("VarHandleOp", attributes, [], 1);
    const variable = new NativeVariable(name, shape, handle!.id);
    this.assign(variable, values);
    return variable;
  }

  value(variable: Variable): Tensor {
    const { binding } = this.#run;
    const attributes = [{ name: "dtype", type: binding.TF_ATTR_TYPE, value: dataTypes.float32 }];
    const [read] = binding.executeOp("ReadVariableOp", attributes, [(variable as NativeVariable).handle], 1);
    return this.#run.own(new NativeTensor(read!.id, variable.shape, "float32"));
  }

  assign(variable: Variable, values: Float32Array): void {
    const { binding } = this.#run;
    // A copy: the engine reads the array in place, and the caller may change it.
    const id = binding.createTensor(variable.shape, dataTypes.float32, Float32Array.from(values));
    this.#update("AssignVariableOp", { dtype: T.T }, variable as NativeVariable, [id]);
    binding.deleteTensor(id);
  }

  dispose(variable: Variable): void {
    const { handle } = variable as NativeVariable;
    this.#update("DestroyResourceOp", { ignore_lookup_error: true }, variable as NativeVariable, []);
    this.#run.binding.deleteTensor(handle);
  }

  adam(variable: Variable, moments: readonly [Variable, Variable], gradient: Tensor, step: AdamStep): void {
    const { beta1, beta2, learningRate, epsilon } = step;
    const [power1, power2] = [beta1 ** step.step, beta2 ** step.step];
    // TensorFlow adds epsilon to sqrt(v), PyTorch to sqrt(v / (1 - beta2^t)).
    const scalars = [power1, power2, learningRate, beta1, beta2, epsilon * Math.sqrt(1 - power2)];
    const [first, second] = moments as readonly [NativeVariable, NativeVariable];
    const inputs = scalars.map((value) => this.#run.scalar(value));
    const kernel = { ...T, use_locking: false, use_nesterov: false };
    const ids = [first.handle, second.handle, ...inputs.map(({ id }) => id), (gradient as NativeTensor).id];
    this.#update("ResourceApplyAdam", kernel, variable as NativeVariable, ids);
    for (const input of inputs) this.#run.release(input);
  }

  nesterov(variable: Variable, velocity: Variable, gradient: Tensor, { learningRate, momentum }: MomentumStep): void {
    const inputs = [this.#run.scalar(learningRate), this.#run.scalar(momentum)];
    const [rate, factor] = inputs as [NativeTensor, NativeTensor];
    const attributes = { ...T, use_locking: false, use_nesterov: true };
    const ids = [(velocity as NativeVariable).handle, rate.id, (gradient as NativeTensor).id, factor.id];
    this.#update("ResourceApplyMomentum", attributes, variable as NativeVariable, ids);
    for (const input of inputs) this.#run.release(input);
  }

  #update(
    name: string,
    attributes: Parameters<Executor["kernel"]>[1],
    { handle }: NativeVariable,
    ids: readonly number[],
  ): void {
    this.#run.binding.executeOp(name, this.#run.kernel(name, attributes).attributes, [handle, ...ids], 0);
  }

  #convolution(name: string, { stride, padding: { top, bottom, left, right } }: Conv2dGeometry) {
    const padded = top + bottom + left + right > 0;
    return this.#run.kernel(name, {
      ...T,
      strides: [1, stride, stride, 1],
      padding: padded ? "EXPLICIT" : "VALID",
      ...(padded && { explicit_paddings: [0, 0, top, bottom, left, right, 0, 0] }),
      data_format: "NHWC",
      use_cudnn_on_gpu: true,
    });
  }

  #hasOneDnnPooling(): boolean {
    const x = this.tensor(new Float32Array(4), [1, 2, 2, 1]);
    const made: Tensor[] = [x];
    try {
      const kernel = this.#run.kernel("_MklNativeMaxPool", { ...pooling({ size: 2, stride: 2 }), ...oneDnn });
      made.push(...this.#run.runMany(kernel, [x], 2));
      return true;
    } catch {
      return false;
    } finally {
      for (const tensor of made) this.release(tensor);
    }
  }
}

const oneDnn = { workspace_enabled: true, _kernel: "MklNameChangeOp" } as const;

const pooling = ({ size, stride }: PoolGeometry) => ({
  ...T,
  ksize: [1, size, size, 1],
  strides: [1, stride, stride, 1],
  padding: "VALID",
  data_format: "NHWC",
});
