import { last } from "../../core/elements.ts";
import type { IntegerTensor } from "../frozen-network.ts";
import type { Codes } from "./codes.ts";

/** Largest code of an 8-bit weight: the grid is symmetric. */
const LARGEST = 127;
/**
 * Largest sum of two products of codes and int8 weights. On x86 without VNNI, onnxruntime's kernels for uint8 and int8
 * add neighbouring products in 16 bits (vpmaddubsw), which saturate; those for uint8 weights, and those of depthwise
 * convolutions, do not (mlas/lib/x86_64/QgemmU8S8KernelAvx2.S, ConvSymKernelAvx2.S).
 */
const LARGEST_PAIR = 2 ** 15 - 1;
/** Biases stay below this, so that adding them to a sum of products stays inside int32. */
const LARGEST_BIAS = 2 ** 30;

/** What holds the codes of a weight: int8, or uint8 with the zero point 128. */
export type Container = "int8" | "uint8";

/** A weight in an 8-bit container with its bias on the grid of its products. */
export interface IntegerLayer {
  readonly container: Container;
  /** Codes in the frozen order, each channel's a whole multiple of the learned ones. */
  readonly codes: Int32Array;
  /** One per output channel. */
  readonly scales: Float32Array;
  /** In steps of input scale · weight scale, per output channel. */
  readonly bias: Int32Array;
  readonly biasScales: Float32Array;
  /** What the integers stand for. */
  readonly biasValues: Float32Array;
  /** How far the bias that moved most has moved. */
  readonly largestShift: number;
}

export interface IntegerLayerOptions {
  readonly weight: IntegerTensor;
  readonly bias: Float32Array;
  /** What the layer reads. */
  readonly input: Pick<Codes, "scale" | "highest">;
  readonly container: Container;
  /** Whether kernels may add the products of two weights of one output channel in 16 bits. */
  readonly pairs: boolean;
}

/**
 * Puts a weight of 2, 3, 4 or 8 bits into 8 and its bias into int32, whose step is input scale · weight scale. That
 * step is coarse where both are, so each output channel gets the finer grid of the whole multiple of its codes that
 * fits the container and meets the bias best: a 2-bit code can be up to 127 8-bit codes, a 4-bit code 18. In int8, no
 * two products of an output channel, which may be neighbours, add up to more than 16 bits.
 *
 * @returns null when a bias is too large for int32, or two weights for int8.
 */
export function integerLayer({ weight, bias, input, container, pairs }: IntegerLayerOptions): IntegerLayer | null {
  const outputs = last(weight.shape);
  const largest = largestCodes(weight);
  const largestMultiple = Array.from(largest, ({ single, pair }) => {
    const fits = Math.floor(LARGEST / single);
    return container === "int8" && pairs ? Math.min(fits, Math.floor(LARGEST_PAIR / (input.highest * pair))) : fits;
  });
  const multiples = new Int32Array(outputs);
  const scales = new Float32Array(outputs);
  const biasScales = new Float32Array(outputs);
  const biasCodes = new Int32Array(outputs);
  const biasValues = new Float32Array(outputs);
  let largestShift = 0;
  for (let output = 0; output < outputs; output++) {
    const wanted = bias[output]!;
    const step = typeof weight.scale === "number" ? weight.scale : weight.scale[output]!;
    let best = Number.POSITIVE_INFINITY;
    for (let multiple = largestMultiple[output]!; multiple >= 1; multiple--) {
      const scale = Math.fround(step / multiple);
      const biasStep = Math.fround(input.scale * scale);
      const code = Math.round(wanted / biasStep);
      const shift = Math.abs(code * biasStep - wanted);
      if (!(Math.abs(code) <= LARGEST_BIAS) || shift >= best) continue;
      best = shift;
      multiples[output] = multiple;
      scales[output] = scale;
      biasScales[output] = biasStep;
      biasCodes[output] = code;
      biasValues[output] = code * biasStep;
    }
    if (best === Number.POSITIVE_INFINITY) return null;
    largestShift = Math.max(largestShift, best);
  }
  const codes = weight.codes.map((code, index) => code * multiples[index % outputs]!);
  return { container, codes, scales, bias: biasCodes, biasScales, biasValues, largestShift };
}

/**
 * By output channel, the largest magnitude of a code, at least 1, and of the sum of two codes of one sign.
 */
function largestCodes({ codes, shape }: IntegerTensor): readonly { single: number; pair: number }[] {
  const outputs = last(shape);
  return Array.from({ length: outputs }, (_, output) => {
    let [highest, high, low, lowest] = [0, 0, 0, 0];
    for (let index = output; index < codes.length; index += outputs) {
      const code = codes[index]!;
      if (code > highest) [highest, high] = [code, highest];
      else if (code > high) high = code;
      if (code < lowest) [lowest, low] = [code, lowest];
      else if (code < low) low = code;
    }
    return { single: Math.max(1, highest, -lowest), pair: Math.max(1, highest + high, -lowest - low) };
  });
}
