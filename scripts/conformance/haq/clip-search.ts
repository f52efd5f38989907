import { roundHalfEven } from "../../../src/quantization/grid.ts";
import { largestMagnitude } from "../../../src/quantization/scale-search.ts";
import { clamp } from "../../../src/quantization/weight-grid.ts";

// HAQ's linear quantizer (Wang et al., CVPR 2019): one threshold for a tensor.

/** With so many bits nothing is clipped. */
const UNCLIPPED_BITS = 5;
/** What activations, which come from a ReLU, are clipped to in any case. */
const ACTIVATION_LIMIT = 6;

/** What is quantized: a weight, symmetric, or an activation, from 0 on. */
export type LinearRole = "weight" | "activation";

/**
 * Where a tensor is clipped: at its largest magnitude with 5 bits or more; below, where the cumulative histogram of
 * magnitudes, interpolated over as many points as there are levels, is least far from the whole one
 * (Kullback–Leibler). Activations are clipped to 6 in any case.
 */
export function clipThreshold(values: ArrayLike<number>, bits: number, role: LinearRole): number {
  const largest = largestMagnitude(values);
  const clip = bits < UNCLIPPED_BITS && largest > 0 ? searchClip(values, bits, largest) : largest;
  return role === "weight" ? clip : Math.min(clip, largest, ACTIVATION_LIMIT);
}

/** The values on their grid: steps of threshold/(2^(bits-1) - 1), of activations threshold/(2^bits - 1). */
export function quantizeLinear(
  values: ArrayLike<number>,
  { bits, role, threshold }: { readonly bits: number; readonly role: LinearRole; readonly threshold: number },
): Float32Array {
  const [lowest, levels] = role === "weight" ? [-threshold, 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const step = threshold / levels;
  if (!(step > 0)) return new Float32Array(values.length);
  return Float32Array.from(values, (value) => roundHalfEven(clamp(value, lowest, threshold) / step) * step);
}

function searchClip(values: ArrayLike<number>, bits: number, largest: number): number {
  const cumulative = cumulativeHistogram(values, largest);
  const bins = cumulative.length;
  const levels = 2 ** (bits - 1);
  let best = { clip: largest, divergence: Number.POSITIVE_INFINITY };
  for (let end = levels + 1; end <= bins; end++) {
    const divergence = divergenceAt(cumulative, levels, end);
    if (divergence < best.divergence) best = { clip: ((end + 0.5) * largest) / bins, divergence };
  }
  return best.clip;
}

/** Share of the magnitudes in each of ceil(sqrt(count)) bins up to the largest, and all before it. */
function cumulativeHistogram(values: ArrayLike<number>, largest: number): Float64Array {
  const bins = Math.ceil(Math.sqrt(values.length));
  const shares = new Float64Array(bins);
  for (let index = 0; index < values.length; index++) {
    const bin = Math.floor((Math.abs(values[index]!) / largest) * bins);
    shares[Math.min(bins - 1, bin)]! += 1 / values.length;
  }
  let sum = 0;
  return shares.map((share) => {
    sum += share;
    return sum;
  });
}

/** How far the histogram is from itself clipped behind `end` bins and interpolated over `levels` points. */
function divergenceAt(cumulative: Float64Array, levels: number, end: number): number {
  const clipped = cumulative.map((share, bin) => (bin >= end - 1 ? 1 : share));
  const fewer = resampled(clipped.subarray(0, end), levels);
  const approximated = clipped.slice();
  approximated.set(resampled(fewer, end));
  return cumulative.reduce((sum, share, bin) => {
    const approximation = approximated[bin] ?? 1;
    // Empty bins at the start agree, and say nothing.
    return share === approximation ? sum : sum + (share - approximation) * Math.log2(share / approximation);
  }, 0);
}

/** `count` points at equal distances on the straight lines between given ones. */
function resampled(points: Float64Array, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => {
    const place = (index * (points.length - 1)) / (count - 1);
    const before = Math.min(points.length - 2, Math.floor(place));
    const left = points[before] ?? 0;
    return left + ((points[before + 1] ?? 0) - left) * (place - before);
  });
}
