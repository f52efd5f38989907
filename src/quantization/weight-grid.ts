import { roundHalfEven } from "./grid.ts";

/** The bit-widths that post-training methods give weights; 3-bit codes are stored in 4 bits. */
export const weightBits = [2, 3, 4, 8] as const;
export type WeightBits = (typeof weightBits)[number];

/**
 * The grid of one output channel, without a zero point: weight = step·code, lowest <= code <= highest. A grid with codes
 * 0…n and zero point z is the same with lowest = -z and highest = n - z. The step is a float32.
 */
export interface WeightGrid extends CodeRange {
  readonly step: number;
}

/** Weights of a layer, output channel first, as PyTorch and ONNX store them: [outputs, inputs], row-major. */
export interface WeightMatrix {
  readonly values: Float32Array;
  readonly outputs: number;
  /** Inputs of one output: input channels (of its group) · kernel height · kernel width, in this order. */
  readonly inputs: number;
}

/** Outermost code of the symmetric grid: 1, 3, 7, 127. */
export const outermostCode = (bits: number): number => 2 ** (bits - 1) - 1;

/** Lowest and highest code of a grid that contains 0. */
export interface CodeRange {
  readonly lowest: number;
  readonly highest: number;
}

/** The exported grid's codes, symmetric about zero. */
export const symmetricCodes = (bits: number): CodeRange => ({
  lowest: -outermostCode(bits),
  highest: outermostCode(bits),
});

/** The symmetric grid with this step, as a float32. A channel of zeros, step 0, gets step 1: its codes are 0 anyway. */
export function symmetricGrid(bits: number, step: number): WeightGrid {
  const held = Math.fround(step);
  return { step: held > 0 ? held : 1, ...symmetricCodes(bits) };
}

/** The grid of 2^bits codes over [low, high], its zero point rounded to a code (asymmetric quantization). */
export function affineGrid(bits: number, { low, high }: { low: number; high: number }): WeightGrid {
  const codes = 2 ** bits - 1;
  const step = Math.max((high - low) / codes, 1e-8);
  const lowest = 0 - roundHalfEven(-low / step);
  return { step: Math.fround(step), lowest, highest: codes + lowest };
}

export const clamp = (value: number, lowest: number, highest: number): number =>
  Math.min(highest, Math.max(lowest, value));

/** The code nearest to `value`, halves to the even one. */
export const nearestCode = (value: number, { step, lowest, highest }: WeightGrid): number =>
  clamp(roundHalfEven(value / step), lowest, highest);

/** The values of one output channel; a view. */
export const rowOf = <T extends Float32Array | Float64Array | Int32Array>(values: T, row: number, length: number): T =>
  values.subarray(row * length, (row + 1) * length) as T;

/** Codes nearest to the weights, with a grid for each output channel. */
export function nearestCodes({ values, inputs }: WeightMatrix, grids: readonly WeightGrid[]): Int32Array {
  const codes = new Int32Array(values.length);
  for (let index = 0; index < values.length; index++)
    codes[index] = nearestCode(values[index]!, grids[Math.floor(index / inputs)]!);
  return codes;
}

/** The weights that codes stand for: step·code in float32, one multiplication, as every runtime decodes them. */
export function decode(codes: Int32Array, steps: ArrayLike<number>, inputs: number): Float32Array {
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) values[index] = steps[Math.floor(index / inputs)]! * codes[index]!;
  return values;
}
