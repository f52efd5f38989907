import { z } from "zod";
import { toEnd } from "../../../src/core/stepwise.ts";
import type { Ops } from "../../../src/engine/ops.ts";
import { roundOn } from "../../../src/methods/layerwise/adaround.ts";
import { betaSchedules } from "../../../src/quantization/rounding-regularizer.ts";
import { numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { allRows, channelsLastMap, geometryOf, outputsOf } from "../layers.ts";
import { gridsOf, REAL } from "./grids.ts";

const file = z.object({
  cases: z.array(
    z.object({
      kind: z.enum(["conv", "dense"]),
      bits: z.union([z.literal(2), z.literal(3), z.literal(4)]),
      relu: z.boolean(),
      stride: z.number(),
      pad: z.number(),
      weightShape: numbers,
      weight: numbers,
      bias: numbers,
      inputShape: numbers,
      input: numbers,
      step: numbers,
      zero: numbers,
      iterations: z.number(),
      nearestError: z.number(),
      longRun: z.object({ iterations: z.number() }),
      bound: z.number(),
      longBound: z.number(),
      optimum: z.number().optional(),
    }),
  ),
});

/**
 * reconstruction.json: what the learned rounding of a single layer must reach, without safeguard and flips: with either
 * schedule, and with the linear one over 10,000 iterations, as the file did. Unless `long`, the 3-bit cases only, each
 * with one schedule.
 */
export function checkReconstruction(content: unknown, ops: Ops, { long }: { long: boolean }): Outcome {
  const tally = new Tally();
  for (const golden of file.parse(content).cases) {
    const outputs = golden.weightShape[0]!;
    const x = channelsLastMap(golden.input, golden.inputShape);
    const geometry = geometryOf({ ...golden, depthwise: false }, x);
    const targets = Float32Array.from(outputsOf(allRows(geometry, x), golden.weight, golden.bias, outputs));
    const problem = {
      name: "golden",
      weight: { values: Float32Array.from(golden.weight), outputs, inputs: golden.weight.length / outputs },
      bias: Float32Array.from(golden.bias),
      bits: golden.bits,
      rectified: golden.relu,
      limit: null,
      rows: allRows(geometry, x, targets),
    };
    const run = (shape: (typeof betaSchedules)[number], iterations: number, bound: number) => {
      const solving = roundOn(gridsOf(golden, outputs), problem, ops, {
        learningRate: 1e-3,
        regularization: 0.01,
        batchSize: 32,
        beta: { shape, iterations, warmUp: 0.2, start: 20, end: 2 },
        safeguard: false,
        flips: false,
        seed: 1,
      });
      const { error, nearestError } = toEnd(solving).statistics;
      tally.case((check) => {
        check(relativeError(nearestError, golden.nearestError), REAL);
        check(error / bound, 1);
        // No rounding is better than the best one, but for float32 sums.
        if (golden.optimum !== undefined) check(golden.optimum / error, 1 + REAL);
      });
    };
    if (!long) {
      if (golden.bits === 3) run(golden.kind === "conv" ? "cosine" : "linear", golden.iterations, golden.bound);
      continue;
    }
    for (const shape of betaSchedules) run(shape, golden.iterations, golden.bound);
    run("linear", golden.longRun.iterations, golden.longBound);
  }
  return tally;
}
