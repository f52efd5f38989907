import { z } from "zod";
import {
  type BetaSchedule,
  betaAt,
  betaSchedules,
  roundingRegularizer,
  roundingRegularizerSlope,
} from "../../../src/quantization/rounding-regularizer.ts";
import { numbers, type Outcome, relativeError, Tally } from "../compare.ts";
import { REAL, tensorError } from "./grids.ts";

const course = z.object({ beta: z.array(z.number().nullable()), value: numbers });
const file = z.object({
  V: numbers,
  values: z.array(z.object({ beta: z.number(), value: z.number(), gradient: numbers })),
  schedules: z.array(
    z.object({
      iterations: z.number(),
      warmup: z.number(),
      betaRange: z.tuple([z.number(), z.number()]),
      weight: z.number(),
      linear: course,
      cosine: course,
    }),
  ),
});

/** regularizer.json: value and gradient at fixed betas, and both schedules of beta. */
export function checkRoundingRegularizer(content: unknown): Outcome {
  const tally = new Tally();
  const { V, values, schedules } = file.parse(content);
  for (const { beta, value, gradient } of values) {
    tally.case((check) => {
      check(relativeError(roundingRegularizer(V, beta), value), REAL);
      check(
        tensorError(
          V.map((v) => roundingRegularizerSlope(v, beta)),
          gradient,
        ),
        REAL,
      );
    });
  }
  for (const golden of schedules) {
    for (const shape of betaSchedules) {
      const [start, end] = golden.betaRange;
      const schedule: BetaSchedule = { shape, iterations: golden.iterations, warmUp: golden.warmup, start, end };
      tally.case((check) => {
        golden[shape].beta.forEach((expected, iteration) => {
          const beta = betaAt(schedule, iteration);
          const value = beta === null ? 0 : golden.weight * roundingRegularizer(V, beta);
          check(beta === null || expected === null ? Number(beta !== expected) : relativeError(beta, expected), REAL);
          check(relativeError(value, golden[shape].value[iteration]!, 1e-12), REAL);
        });
      });
    }
  }
  return tally;
}
