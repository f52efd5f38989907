import type { GatedQuantizer } from "../../methods/gated-quantizer.ts";
import { codeLimits, encode } from "../../quantization/grid.ts";
import type { WeightHistogram } from "../../runs/analysis.ts";

/** An odd number: zero, where a grid always has a point, lies in the middle of a bin. */
const binCount = 97;

/** The widest view, in ranges: weights far outside the range are counted and not drawn. */
const widestView = 1.5;

/** Grids of more points are drawn as a band: their codes are not counted one by one. */
const countedBits = 4;

/**
 * How the weights of one tensor lie on their learned grid. Where channels have ranges of their own, each channel's
 * weights are stretched so that its range is that of the widest: then all lie on one grid.
 *
 * @param values What the quantizer reads, the last axis its output channels; those of pruned channels are left out.
 */
export function weightHistogram(
  quantizer: Pick<GatedQuantizer, "bits" | "grid" | "kept" | "range" | "xMax"> & {
    readonly node: Pick<GatedQuantizer["node"], "id" | "signed">;
  },
  values: Float32Array,
  channels: number,
): WeightHistogram {
  const { bits, grid, kept, range, xMax, node } = quantizer;
  const stretched =
    range.length === 1 ? values : values.map((value, index) => value * (xMax / range[index % range.length]!));
  const left = kept === null ? stretched : ofChannels(stretched, channels, kept);
  const limit = Math.min(Math.max(largest(left), xMax), widestView * xMax);
  const bins = new Array<number>(binCount).fill(0);
  const beyond: [number, number] = [0, 0];
  let clipped = 0;
  for (const value of left) {
    if (Math.abs(value) > xMax) clipped++;
    if (Math.abs(value) > limit) beyond[value < 0 ? 0 : 1]++;
    else bins[Math.min(binCount - 1, Math.floor(((value / limit + 1) / 2) * binCount))]!++;
  }
  const codesOf = () => (grid === null ? encode(left, bits, { xMax, signed: node.signed }) : codesOn(grid.steps, left));
  const codes = bits > countedBits ? null : countCodes(codesOf(), codeLimits(bits, node.signed));
  return {
    quantizer: node.id,
    limit,
    bins,
    beyond,
    clipped,
    ...(range.length > 1 && { ranges: [Math.min(...range), xMax] as [number, number] }),
    codes,
  };
}

function ofChannels(values: Float32Array, channels: number, kept: readonly number[]): Float32Array {
  const left = new Float32Array((values.length / channels) * kept.length);
  for (let row = 0; row < values.length / channels; row++) {
    for (const [index, channel] of kept.entries()) left[row * kept.length + index] = values[row * channels + channel]!;
  }
  return left;
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The codes of a weight that holds step·code. */
const codesOn = (steps: Float32Array, values: Float32Array): Int32Array =>
  Int32Array.from(values, (value, index) => Math.round(value / steps[index % steps.length]!));

function countCodes(codes: Int32Array, [lowest, highest]: readonly [number, number]) {
  const counts = new Array<number>(highest - lowest + 1).fill(0);
  for (const code of codes) counts[code - lowest]!++;
  return counts;
}
