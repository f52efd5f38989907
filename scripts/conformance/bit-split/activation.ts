import { z } from "zod";
import { activationStep } from "../../../src/quantization/bit-split/least-squares-step.ts";
import { nearestCode } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, numbers, type Outcome, relativeError, Tally } from "../compare.ts";

const file = z.object({
  cases: z.array(z.object({ bits: z.number(), features: numbers, scale: z.number(), x: numbers, xq: numbers })),
});

/** activation.json: least-squares step of an unsigned activation quantizer, and values quantized with it. */
export function checkActivation(content: unknown): Outcome {
  const tally = new Tally();
  for (const { bits, features, scale, x, xq } of file.parse(content).cases) {
    tally.case((check) => {
      const step = activationStep(features, bits);
      check(relativeError(step, scale), 1e-9);
      const grid = { step, lowest: 0, highest: 2 ** bits - 1 };
      const codes = (values: readonly number[], code: (value: number) => number) => values.map(code);
      check(
        largestDifference(
          codes(x, (value) => nearestCode(value, grid)),
          codes(xq, (value) => Math.round(value / scale)),
        ),
        0,
      );
      x.forEach((value, index) => {
        check(relativeError(step * nearestCode(value, grid), xq[index]!, 1e-12), 1e-9);
      });
    });
  }
  return tally;
}
