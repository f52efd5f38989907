import { z } from "zod";
import { largestDifference, largestMagnitude, numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { clipThreshold, quantizeLinear } from "./clip-search.ts";

const file = z.object({
  cases: z.array(
    z.object({
      kind: z.enum(["weight", "activation_unsigned"]),
      bits: z.int(),
      input: numbers,
      threshold: z.number(),
      quantized: numbers,
    }),
  ),
});

/** linear_quantizer.json: thresholds, found by a search below 5 bits, and the values on their grids. */
export function checkLinearQuantizer(content: unknown): Outcome {
  const tally = new Tally();
  for (const { kind, bits, input, threshold, quantized } of file.parse(content).cases) {
    const role = kind === "weight" ? "weight" : "activation";
    const found = clipThreshold(input, bits, role);
    tally.case((check) => {
      check(relativeError(found, threshold), 1e-6);
      const actual = quantizeLinear(input, { bits, role, threshold: found });
      check(largestDifference(actual, quantized) / largestMagnitude(quantized), 1e-6);
    });
  }
  return tally;
}
