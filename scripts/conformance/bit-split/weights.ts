import { z } from "zod";
import { descendDigits, stitched } from "../../../src/quantization/bit-split/digit-descent.ts";
import { type Planes, pointShift, split, stitch } from "../../../src/quantization/bit-split/digits.ts";
import { leastSquaresCodes } from "../../../src/quantization/bit-split/least-squares-step.ts";
import { largestMagnitude } from "../../../src/quantization/scale-search.ts";
import { nearestCode, outermostCode, rowOf } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, numbers, type Outcome, relativeError, Tally } from "../compare.ts";

const refinement = z.object({
  maxEpoch: z.number(),
  planes: z.array(numbers),
  codes: numbers,
  alpha: numbers,
  weightError: z.number(),
});
const file = z.object({
  cases: z.array(
    z.object({
      shape: numbers,
      weight: numbers,
      results: z.array(
        z.object({
          bits: z.number(),
          fwa: z.object({ codes: numbers, alpha: numbers }),
          split: z.array(numbers),
          ofwa: z.array(refinement),
          ofwaFromMaxScale: z.array(refinement),
        }),
      ),
    }),
  ),
});

/** Bit-Split's figures are float64: integers are exact, reals agree to this. */
const REAL = 1e-9;

/** The descent on the weights alone: products are the identity, cross is the weight. */
function onWeights(weights: Float32Array) {
  const size = weights.length;
  const products = new Float64Array(size * size);
  for (let n = 0; n < size; n++) products[n * size + n] = 1;
  const cross = Float64Array.from(weights);
  return { products, cross, energy: cross.reduce((sum, value) => sum + value * value, 0) };
}

/** weights.json: least-squares codes, their digits, and the descent on the weights from two starts. */
export function checkWeights(content: unknown): Outcome {
  const tally = new Tally();
  for (const { shape, weight, results } of file.parse(content).cases) {
    const outputs = shape[0]!;
    const rows = Array.from({ length: outputs }, (_, row) =>
      rowOf(Float32Array.from(weight), row, weight.length / outputs),
    );
    for (const golden of results) {
      const { bits } = golden;
      const least = rows.map((row) => leastSquaresCodes(row, bits));
      const largest = rows.map((row) => {
        const highest = outermostCode(bits);
        const step = largestMagnitude(row) / highest;
        return {
          step,
          codes: Int32Array.from(row, (value) => nearestCode(value, { step, lowest: -highest, highest })),
        };
      });
      tally.case((check) => {
        const codes = least.flatMap(({ codes }) => [...codes]);
        check(largestDifference(codes, golden.fwa.codes), 0);
        least.forEach(({ step }, row) => {
          // Here the file's alpha is the step itself.
          check(relativeError(step, golden.fwa.alpha[row]!), REAL);
        });
        const planes = split(codes, bits);
        golden.split.forEach((expected, plane) => {
          check(largestDifference(planes[plane]!, expected), 0);
        });
        check(largestDifference(stitch(planes), codes), 0);
      });
      for (const [starts, stages] of [
        [least, golden.ofwa],
        [largest, golden.ofwaFromMaxScale],
      ] as const) {
        for (const stage of stages) {
          const ends = starts.map(({ codes, step }, row) =>
            descendDigits(
              onWeights(rows[row]!),
              { planes: split(codes, bits), alpha: step * pointShift(bits) },
              { epochs: stage.maxEpoch },
            ),
          );
          tally.case((check) => {
            check(
              largestDifference(
                ends.flatMap((end) => [...stitched(end).codes]),
                stage.codes,
              ),
              0,
            );
            stage.planes.forEach((expected, plane) => {
              check(largestDifference(joined(ends, plane), expected), 0);
            });
            ends.forEach(({ alpha }, row) => {
              check(relativeError(alpha, stage.alpha[row]!), REAL);
            });
            const error = ends.reduce((sum, end) => sum + end.error, 0);
            check(relativeError(error, stage.weightError), REAL);
          });
        }
      }
    }
  }
  return tally;
}

/** A plane of all channels, one after the other. */
export const joined = (channels: readonly { readonly planes: Planes }[], plane: number): number[] =>
  channels.flatMap(({ planes }) => [...planes[plane]!]);
