import { inverseRectifiedSigmoid, roundsUp } from "./rectified-sigmoid.ts";
import { clamp, type WeightGrid, type WeightMatrix } from "./weight-grid.ts";

/**
 * The choice AdaRound has for each weight: the codes below and above, clipped to the grid. They are equal where the
 * weight lies outside the grid: nothing is to choose there. All arrays are [outputs, inputs].
 */
export interface RoundingChoice {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** V with h(V) = w/step - floor(w/step): learning starts at the float weight, clipped. */
  readonly initial: Float32Array;
}

export function roundingChoice({ values, inputs }: WeightMatrix, grids: readonly WeightGrid[]): RoundingChoice {
  const lower = new Int32Array(values.length);
  const upper = new Int32Array(values.length);
  const initial = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const { step, lowest, highest } = grids[Math.floor(index / inputs)]!;
    // In float32, like the weights that training and export see: on the grid means on the grid there.
    const ratio = Math.fround(values[index]! / step);
    const floor = Math.floor(ratio);
    lower[index] = clamp(floor, lowest, highest);
    upper[index] = clamp(floor + 1, lowest, highest);
    initial[index] = inverseRectifiedSigmoid(ratio - floor);
  }
  return { lower, upper, initial };
}

/** The codes that V decides for. */
export function hardCodes({ lower, upper }: RoundingChoice, v: ArrayLike<number>): Int32Array {
  return lower.map((code, index) => (roundsUp(v[index]!) ? upper[index]! : code));
}

/**
 * The weight while V is learned, as offset + range·h(V): step·(lower + (upper - lower)·h). Its derivative by h is the
 * range, 0 outside the grid.
 */
export function softWeight(
  { lower, upper }: RoundingChoice,
  grids: readonly WeightGrid[],
  inputs: number,
): { readonly offset: Float32Array; readonly range: Float32Array } {
  const stepAt = (index: number) => grids[Math.floor(index / inputs)]!.step;
  return {
    offset: Float32Array.from(lower, (code, index) => stepAt(index) * code),
    range: Float32Array.from(lower, (code, index) => stepAt(index) * (upper[index]! - code)),
  };
}
