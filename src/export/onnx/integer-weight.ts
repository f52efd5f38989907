import type { IntegerTensor } from "../frozen-network.ts";

/** Largest code of an 8-bit weight: the grid is symmetric. */
const LARGEST = 127;
/** Biases stay below this, so that adding them to a sum of products stays inside int32. */
const LARGEST_BIAS = 2 ** 30;

/** A weight in an 8-bit container with its bias on the grid of its products. */
export interface IntegerLayer {
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

/**
 * Puts a weight of 2, 3, 4 or 8 bits into int8 and its bias into int32, whose step is input scale · weight scale. That
 * step is coarse where both are, so each output channel gets the finer grid of the whole multiple of its codes that
 * fits the container and meets the bias best: a 2-bit code can be up to 127 8-bit codes, a 4-bit code 18.
 *
 * @returns null when a bias is too large for int32.
 */
export function integerLayer(weight: IntegerTensor, bias: Float32Array, inputScale: number): IntegerLayer | null {
  const outputs = weight.shape.at(-1)!;
  const largestCode = new Int32Array(outputs).fill(1);
  weight.codes.forEach((code, index) => {
    const output = index % outputs;
    largestCode[output] = Math.max(largestCode[output]!, Math.abs(code));
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
    for (let multiple = Math.floor(LARGEST / largestCode[output]!); multiple >= 1; multiple--) {
      const scale = Math.fround(step / multiple);
      const biasStep = Math.fround(inputScale * scale);
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
  return { codes, scales, bias: biasCodes, biasScales, biasValues, largestShift };
}
