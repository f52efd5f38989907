import { type FrozenLayer, type FrozenNode, isFrozenLayer } from "./frozen-network.ts";
import { valuesOf } from "./tensor-values.ts";

/** Reads one element of one image's value, [height, width, channels] or [units]. */
type Elements = (index: number) => number;

/**
 * Single elements of a network in float64: what float32 kernels, the trainer's and the runtime's, both approximate.
 * Slow for a whole value; made for the few elements whose codes differ. With `magnitudes`, what they would be if every
 * term of every sum had its absolute value: float32 errors are a share of that.
 */
export class ExactValues {
  readonly #nodes: ReadonlyMap<string, FrozenNode>;
  readonly #weights = new Map<string, Float32Array>();
  readonly #magnitudes: boolean;

  constructor(nodes: readonly FrozenNode[], { magnitudes }: { readonly magnitudes: boolean }) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#magnitudes = magnitudes;
  }

  /**
   * The elements of a node's value for a batch, counted through the batch, computed from what `known` has: values by
   * node, [batch, …].
   */
  of(id: string, known: ReadonlyMap<string, Float32Array>): Elements {
    const size = sizeOf(this.#nodes.get(id)!);
    return (index) => this.#image(id, known, Math.floor(index / size))(index % size);
  }

  #image(id: string, known: ReadonlyMap<string, Float32Array>, image: number): Elements {
    const node = this.#nodes.get(id)!;
    const values = known.get(id);
    if (values !== undefined) {
      const start = image * sizeOf(node);
      return (index) => this.#term(values[start + index]!);
    }
    if (node.kind === "input" || node.kind === "quantizer") throw new Error(`${id}: its value must be known`);
    const [x, y] = node.inputs.map((input) => this.#image(input, known, image)) as [Elements, Elements];
    const shape = this.#nodes.get(node.inputs[0]!)!.outputShape;
    if (isFrozenLayer(node)) {
      return node.kind === "dense" ? this.#dense(node, x) : this.#convolution(node, x, shape);
    }
    const channels = node.outputShape.at(-1)!;
    const columns = node.outputShape[1]!;
    switch (node.kind) {
      case "affine":
        return (index) =>
          x(index) * this.#term(node.scale[index % channels]!) + this.#term(node.shift[index % channels]!);
      case "relu":
        // Capped, a sum of magnitudes would hide terms that cancel out below the limit.
        if (node.limit === null || this.#magnitudes) return (index) => Math.max(0, x(index));
        return (index) => Math.min(node.limit!, Math.max(0, x(index)));
      case "max-pool":
      case "average-pool":
        return (index) => {
          const { stride, size, padding } = node;
          const [row, column, channel] = place(index, columns, channels);
          const window = {
            row: row * stride - padding.top,
            column: column * stride - padding.left,
            size: [size, size],
          };
          const taps = tapsOf(window, shape).map(({ pixel }) => x(pixel * channels + channel));
          return node.kind === "max-pool" ? Math.max(...taps) : taps.reduce((sum, value) => sum + value, 0) / size ** 2;
        };
      case "global-average-pool":
        return (index) => {
          const pixels = shape[0]! * shape[1]!;
          let sum = 0;
          for (let pixel = 0; pixel < pixels; pixel++) sum += x(pixel * channels + index);
          return sum / pixels;
        };
      case "add":
        return (index) => x(index) + y(index);
      case "pad":
        return (index) => {
          const [row, column, channel] = place(index, columns, channels);
          const from = [row - node.padding.top, column - node.padding.left, channel - node.channels[0]] as const;
          if (from.some((at, axis) => at < 0 || at >= shape[axis]!)) return 0;
          return x((from[0] * shape[1]! + from[1]) * shape[2]! + from[2]);
        };
      case "select":
        return (index) => x(Math.floor(index / channels) * shape.at(-1)! + node.channels[index % channels]!);
      case "flatten":
        return x;
    }
  }

  #term(value: number): number {
    return this.#magnitudes ? Math.abs(value) : value;
  }

  #weightOf({ id, weight }: FrozenLayer): Float32Array {
    const values = this.#weights.get(id) ?? valuesOf(weight).map((value) => this.#term(value));
    this.#weights.set(id, values);
    return values;
  }

  #dense(node: FrozenLayer, x: Elements): Elements {
    const weights = this.#weightOf(node);
    const [inputs, outputs] = node.weight.shape as [number, number];
    return (output) => {
      let sum = this.#term(node.bias[output]!);
      for (let input = 0; input < inputs; input++) sum += x(input) * weights[input * outputs + output]!;
      return sum;
    };
  }

  #convolution(node: FrozenLayer, x: Elements, shape: readonly number[]): Elements {
    const weights = this.#weightOf(node);
    const { kind, stride, padding, bias } = node;
    const [height, width, inputs, outputs] = node.weight.shape as [number, number, number, number];
    const channels = shape.at(-1)!;
    return (index) => {
      const [row, column, output] = place(index, node.outputShape[1]!, outputs);
      const window = { row: row * stride - padding.top, column: column * stride - padding.left, size: [height, width] };
      let sum = this.#term(bias[output]!);
      for (const { tap, pixel } of tapsOf(window, shape)) {
        for (let input = 0; input < inputs; input++) {
          const channel = kind === "depthwise-conv2d" ? output : input;
          sum += x(pixel * channels + channel) * weights[(tap * inputs + input) * outputs + output]!;
        }
      }
      return sum;
    };
  }
}

const sizeOf = ({ outputShape }: FrozenNode): number => outputShape.reduce((product, size) => product * size, 1);

const place = (index: number, columns: number, channels: number): readonly [number, number, number] => {
  const pixel = Math.floor(index / channels);
  return [Math.floor(pixel / columns), pixel % columns, index % channels];
};

interface Window {
  readonly row: number;
  readonly column: number;
  readonly size: readonly number[];
}

/** The places of a window that lie inside the image: their index in the window and in the image. */
function tapsOf({ row, column, size }: Window, shape: readonly number[]): { tap: number; pixel: number }[] {
  const [height, width] = size as [number, number];
  const taps = [];
  for (let dy = 0; dy < height; dy++) {
    for (let dx = 0; dx < width; dx++) {
      const [y, x] = [row + dy, column + dx];
      if (y < 0 || x < 0 || y >= shape[0]! || x >= shape[1]!) continue;
      taps.push({ tap: dy * width + dx, pixel: y * shape[1]! + x });
    }
  }
  return taps;
}
