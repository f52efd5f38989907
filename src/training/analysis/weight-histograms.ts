import { codeLimits } from "../../quantization/grid.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import type { WeightHistogram } from "../../runs/analysis.ts";

/** An odd number: zero, where a grid always has a point, lies in the middle of a bin. */
const binCount = 97;

/** The widest view, in ranges: weights far outside the range are counted and not drawn. */
const widestView = 1.5;

/** Grids of more points are drawn as a band: their codes are not counted one by one. */
const countedBits = 4;

/**
 * How the weights of one tensor lie on their learned grid; pruned channels are left out, with their ranges. Where
 * channels have ranges of their own, each channel's weights are stretched so that its range is that of the widest: then
 * all lie on one grid.
 *
 * @param values What the quantizer reads, the last axis its output channels.
 */
export function weightHistogram(
  quantizer: Pick<Quantizer, "bits" | "channelBits" | "encode" | "kept" | "range"> & {
    readonly node: Pick<Quantizer["node"], "id" | "signed">;
  },
  values: Float32Array,
  channels: number,
): WeightHistogram {
  const { bits, channelBits, node } = quantizer;
  const kept = quantizer.kept && new Set(quantizer.kept);
  const keptOf = <Values extends Float32Array | Float64Array | Int32Array>(all: Values) =>
    // A part of an array is of its kind.
    kept === null ? all : (all.filter((_, index) => kept.has(index % channels)) as Values);
  const left = keptOf(values);
  // Where no channel is left there is nothing to stretch.
  const ranges = quantizer.range.length === 1 || left.length === 0 ? quantizer.range : keptOf(quantizer.range);
  const xMax = largest(ranges);
  const stretched =
    ranges.length === 1 ? left : left.map((value, index) => value * (xMax / ranges[index % ranges.length]!));
  const limit = Math.min(Math.max(largest(stretched), xMax), widestView * xMax);
  const bins = new Array<number>(binCount).fill(0);
  const beyond: [number, number] = [0, 0];
  let clipped = 0;
  for (const value of stretched) {
    if (Math.abs(value) > xMax) clipped++;
    if (Math.abs(value) > limit) beyond[value < 0 ? 0 : 1]++;
    else bins[Math.min(binCount - 1, Math.floor(((value / limit + 1) / 2) * binCount))]!++;
  }
  const spread: [number, number] = [Math.min(...ranges), xMax];
  const codes =
    bits > countedBits || channelBits !== null
      ? null
      : countCodes(keptOf(quantizer.encode(values).codes), codeLimits(bits, node.signed));
  return {
    quantizer: node.id,
    limit,
    bins,
    beyond,
    clipped,
    ...(quantizer.range.length > 1 && { ranges: spread }),
    codes,
  };
}

function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function countCodes(codes: Int32Array, [lowest, highest]: readonly [number, number]) {
  const counts = new Array<number>(highest - lowest + 1).fill(0);
  for (const code of codes) counts[code - lowest]!++;
  return counts;
}
