import { z } from "zod";
import { inverseRectifiedSigmoid, rectifiedSigmoid, roundsUp } from "../../../src/quantization/rectified-sigmoid.ts";
import { hardCodes, roundingChoice, softWeight } from "../../../src/quantization/soft-rounding.ts";
import { decode, nearestCodes } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, numbers, type Outcome, Tally } from "../compare.ts";
import { gridsOf, REAL, tensorError } from "./grids.ts";

const file = z.object({
  table: z.object({ V: numbers, h: numbers, dh: numbers, hard: numbers }),
  initial: z.object({ fraction: numbers, V: numbers, h: numbers }),
  cases: z.array(
    z.object({
      shape: numbers,
      bits: z.number(),
      weight: numbers,
      step: numbers,
      zero: numbers,
      nearest: numbers,
      initialV: numbers,
      softAtInitialV: numbers,
      V: numbers,
      soft: numbers,
      hard: numbers,
      upstream: numbers,
      gradientV: numbers,
    }),
  ),
});

/** rounding.json: the rectified sigmoid, its inverse, and soft, hard and nearest weights on grids with zero points. */
export function checkRounding(content: unknown): Outcome {
  const tally = new Tally();
  const { table, initial, cases } = file.parse(content);
  const h = (v: number) => rectifiedSigmoid(v).value;
  tally.case((check) => {
    check(tensorError(table.V.map(h), table.h), REAL);
    check(
      tensorError(
        table.V.map((v) => rectifiedSigmoid(v).derivative),
        table.dh,
      ),
      REAL,
    );
    check(
      largestDifference(
        table.V.map((v) => (roundsUp(v) ? 1 : 0)),
        table.hard,
      ),
      0,
    );
  });
  tally.case((check) => {
    check(tensorError(initial.fraction.map(inverseRectifiedSigmoid), initial.V), REAL);
    check(tensorError(initial.V.map(h), initial.h), REAL);
  });
  for (const golden of cases) {
    const outputs = golden.shape[0]!;
    const matrix = { values: Float32Array.from(golden.weight), outputs, inputs: golden.weight.length / outputs };
    const grids = gridsOf(golden, outputs);
    const steps = grids.map(({ step }) => step);
    const choice = roundingChoice(matrix, grids);
    const { offset, range } = softWeight(choice, grids, matrix.inputs);
    const soft = (v: ArrayLike<number>) => Float32Array.from(v, (value, i) => offset[i]! + range[i]! * h(value));
    const gradient = golden.V.map((v, i) => golden.upstream[i]! * range[i]! * rectifiedSigmoid(v).derivative);
    tally.case((check) => {
      check(tensorError(decode(nearestCodes(matrix, grids), steps, matrix.inputs), golden.nearest), REAL);
      check(tensorError(choice.initial, golden.initialV), REAL);
      check(tensorError(soft(golden.initialV), golden.softAtInitialV), REAL);
      check(tensorError(soft(golden.V), golden.soft), REAL);
      check(tensorError(decode(hardCodes(choice, golden.V), steps, matrix.inputs), golden.hard), REAL);
      check(tensorError(gradient, golden.gradientV), REAL);
    });
  }
  return tally;
}
