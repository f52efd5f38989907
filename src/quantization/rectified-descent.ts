import type { CodeBounds } from "./code-descent.ts";

/** One output channel with a ReLU behind it. */
export interface RectifiedChannel {
  /** Inputs column by column, [inputs, rows]. */
  readonly columns: Float32Array;
  /** Wanted outputs after the ReLU, [rows]. */
  readonly targets: Float64Array;
  readonly bias: number;
  /** Where the ReLU ends; infinite if nowhere. */
  readonly limit: number;
}

const NOISE = 1e-12;
/** A pass costs rows·inputs; most flips happen in the first two. */
const MOST_PASSES = 10;

/**
 * As `descendCodes`, for |relu(X·step·code + bias) - y|², the ReLU ending at `limit`: each change of ±1 within the bounds is tried on all rows where
 * its input is not 0. `codes` is changed in place.
 *
 * @returns how many changes were made.
 */
export function descendRectifiedCodes(
  channel: RectifiedChannel,
  codes: Int32Array,
  step: number,
  { lowest, highest }: CodeBounds,
): number {
  const { columns, targets, bias } = channel;
  const rows = targets.length;
  const outputs = new Float64Array(rows).fill(bias);
  codes.forEach((code, n) => {
    if (code !== 0) shift(outputs, columns, n, step * code);
  });
  const energy = targets.reduce((sum, target) => sum + target * target, 0);
  let changes = 0;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = changes;
    for (let n = 0; n < codes.length; n++) {
      for (const by of [-1, 1]) {
        const code = codes[n]! + by;
        if (code < lowest[n]! || code > highest[n]!) continue;
        if (!(costOf(outputs, channel, n, step * by) < -NOISE * energy)) continue;
        codes[n] = code;
        shift(outputs, columns, n, step * by);
        changes++;
        break;
      }
    }
    if (changes === before) break;
  }
  return changes;
}

function shift(outputs: Float64Array, columns: Float32Array, n: number, by: number): void {
  for (let row = 0, at = n * outputs.length; row < outputs.length; row++, at++) outputs[row]! += by * columns[at]!;
}

/** By how much the error grows when the weight of input n changes by `by`. */
function costOf(outputs: Float64Array, { columns, targets, limit }: RectifiedChannel, n: number, by: number): number {
  let cost = 0;
  for (let row = 0, at = n * outputs.length; row < outputs.length; row++, at++) {
    const x = columns[at]!;
    if (x === 0) continue;
    const before = outputs[row]!;
    const after = before + by * x;
    if (before <= 0 && after <= 0) continue;
    const target = targets[row]!;
    const old = Math.min(limit, Math.max(before, 0)) - target;
    const changed = Math.min(limit, Math.max(after, 0)) - target;
    cost += changed * changed - old * old;
  }
  return cost;
}
