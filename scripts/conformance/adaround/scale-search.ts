import { z } from "zod";
import {
  coveringStep,
  rangeOf,
  searchGrid,
  signalToNoiseStep,
  type ValueRange,
} from "../../../src/quantization/scale-search.ts";
import { affineGrid, nearestCode, rowOf, type WeightGrid } from "../../../src/quantization/weight-grid.ts";
import { numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { REAL, tensorError } from "./grids.ts";

const grid = z.object({ step: numbers, zero: numbers });
const range = z.object({ min: numbers, max: numbers });
const file = z.object({
  cases: z.array(
    z.object({
      shape: numbers,
      bits: z.number(),
      channelWise: z.boolean(),
      weight: numbers,
      results: z.object({
        max: grid.extend({ nearest: numbers }),
        "max symmetric": grid,
        max_scale: grid.extend({ nearest: numbers }),
        mse: grid.extend({ nearest: numbers, score: numbers }),
        "aimet min-max symmetric": range,
        "aimet min-max": range,
        "aimet sqnr symmetric": range,
      }),
    }),
  ),
});

const scaled = ({ low, high }: ValueRange, factor: number) => ({ low: low * factor, high: high * factor });

/** scale-search.json: steps and zero points by each rule of the reference implementations, channel by channel. */
export function checkScaleSearch(content: unknown): Outcome {
  const tally = new Tally();
  for (const { shape, bits, channelWise, weight, results } of file.parse(content).cases) {
    const channels = channelWise ? shape[0]! : 1;
    const values = Float32Array.from(weight);
    const rows = Array.from({ length: channels }, (_, row) => rowOf(values, row, weight.length / channels));
    const withZero = rows.map((row) => rangeOf(row, { withZero: true }));
    const compare = (actual: readonly WeightGrid[], expected: z.infer<typeof grid>, nearest?: readonly number[]) =>
      tally.case((check) => {
        actual.forEach(({ step, lowest }, channel) => {
          check(relativeError(step, expected.step[channel]!), REAL);
          check(Math.abs(-lowest - expected.zero[channel]!), 0);
        });
        if (nearest === undefined) return;
        const rounded = rows.flatMap((row, channel) =>
          Array.from(row, (value) => actual[channel]!.step * nearestCode(value, actual[channel]!)),
        );
        check(tensorError(rounded, nearest), REAL);
      });
    compare(
      withZero.map((range) => affineGrid(bits, range)),
      results.max,
      results.max.nearest,
    );
    const symmetric = withZero.map(({ low, high }) => {
      const largest = Math.max(-low, high);
      return affineGrid(bits, { low: low < 0 ? -largest : 0, high: largest });
    });
    compare(symmetric, results["max symmetric"]);
    const widened = withZero.map((range) => affineGrid(bits, scaled(range, (bits + 2) / 8)));
    compare(widened, results.max_scale, results.max_scale.nearest);
    const found = rows.map((row) => {
      const whole = rangeOf(row, { withZero: false });
      return searchGrid(row, (shrink) => affineGrid(bits, scaled(whole, shrink)));
    });
    compare(
      found.map(({ grid }) => grid),
      results.mse,
      results.mse.nearest,
    );
    tally.case((check) => {
      found.forEach(({ score }, channel) => {
        check(relativeError(score, results.mse.score[channel]!), REAL);
      });
    });
    // AIMET's symmetric grid has one code more below zero than above.
    const full = { lowest: -(2 ** (bits - 1)), highest: 2 ** (bits - 1) - 1 };
    const ends = (steps: readonly number[]) => ({
      min: steps.map((step) => full.lowest * step),
      max: steps.map((step) => full.highest * step),
    });
    const compareEnds = (actual: z.infer<typeof range>, expected: z.infer<typeof range>) =>
      tally.case((check) => {
        check(tensorError(actual.min, expected.min), REAL);
        check(tensorError(actual.max, expected.max), REAL);
      });
    compareEnds(
      { min: withZero.map(({ low }) => low), max: withZero.map(({ high }) => high) },
      results["aimet min-max"],
    );
    compareEnds(ends(withZero.map((range) => coveringStep(range, full))), results["aimet min-max symmetric"]);
    compareEnds(ends(rows.map((row) => signalToNoiseStep(row, full))), results["aimet sqnr symmetric"]);
  }
  return tally;
}
