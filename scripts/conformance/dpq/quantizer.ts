import { z } from "zod";
import type { Ops } from "../../../src/engine/ops.ts";
import type { RunningStatistics } from "../../../src/graph/node-kind.ts";
import { largestDifference, largestMagnitude, numbers, type Outcome, Tally } from "../compare.ts";
import { passThrough, table } from "./tables.ts";

const gradients = z.object({ inputs: table, centroids_k: table, centroids_v: table.optional() });
const moving = numbers.optional();
const file = z.object({
  cases: z.array(
    z.object({
      kind: z.enum(["sx", "vq"]),
      metric: z.enum(["dot", "euclidean", "cosine"]),
      batch_norm: z.boolean(),
      training: z.boolean(),
      tau: z.number(),
      beta: z.number(),
      inputs: table,
      centroids_k: table,
      centroids_v: table.optional(),
      output_cotangent: table,
      codes: z.array(z.array(z.int())),
      outputs: table,
      regularization_loss: z.number(),
      grad_task: gradients,
      grad_regularization: gradients,
      moving_mean_before: moving,
      moving_variance_before: moving,
      moving_mean_after: moving,
      moving_variance_after: moving,
    }),
  ),
});

/** Of what goes forward, and of gradients, relative to the largest of a tensor. */
const FORWARD = 1e-6;
const BACKWARD = 1e-4;

/**
 * sx.json and vq.json: outputs, codes, gradients and statistics of one batch, each of whose rows is a token of its own.
 * Responses by cosine, which no configuration of the authors has, are left out.
 */
export function checkProductQuantizer(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  for (const golden of file.parse(content).cases) {
    if (golden.metric === "cosine") continue;
    const { kind, inputs, centroids_k: keys, centroids_v: values, training, tau, beta } = golden;
    const tokens = Int32Array.from(inputs, (_, row) => row);
    const width = inputs[0]!.flat().length;
    const tables = {
      node: {
        ...({ kind: "coded-embedding", id: "embedding", inputs: ["tokens", "queries", "keys"] } as const),
        ...{ groups: inputs[0]!.length, codewords: keys[0]!.length },
        ...({ variant: kind, temperature: tau, beta, normalization: golden.batch_norm ? "codeword" : "none" } as const),
      },
      queries: { values: Float32Array.from(inputs.flat(2)), width },
      keys,
      values: values ?? null,
      statistics: statisticsOf(golden.moving_mean_before, golden.moving_variance_before),
    };
    const passed = passThrough(
      tables,
      { tokens, gradient: Float32Array.from(golden.output_cotangent.flat(2)), training },
      ops,
    );
    tally.case((check) => {
      check(difference(passed.output, golden.outputs.flat(2)), FORWARD);
      check(largestDifference(codesOf(passed.output, values ?? keys, golden.codes), golden.codes.flat()), 0);
      const after = statisticsOf(golden.moving_mean_after, golden.moving_variance_after);
      if (after !== null && passed.statistics !== null) {
        check(difference(passed.statistics.mean, [...after.mean]), FORWARD);
        check(difference(passed.statistics.variance, [...after.variance]), FORWARD);
      }
      if (!training) return;
      check(Math.abs(passed.penalty - golden.regularization_loss), FORWARD);
      const names = ["inputs", "centroids_k", ...(values ? (["centroids_v"] as const) : [])] as const;
      for (const [index, name] of names.entries()) {
        const [task, penalty] = [golden.grad_task[name]!.flat(2), golden.grad_regularization[name]!.flat(2)];
        const sum = task.map((value, at) => value + penalty[at]!);
        check(difference(passed.gradients[index]!, sum), BACKWARD);
      }
    });
  }
  return tally;
}

const statisticsOf = (mean?: readonly number[], variance?: readonly number[]): RunningStatistics | null =>
  mean && variance ? { mean: Float32Array.from(mean), variance: Float32Array.from(variance) } : null;

const difference = (actual: ArrayLike<number>, expected: readonly number[]): number =>
  largestDifference(actual, expected) / Math.max(largestMagnitude(expected), 1e-6);

/** The codewords that an output consists of: those of the file where they are equal, else the first that is. */
function codesOf(
  output: Float32Array,
  values: z.infer<typeof table>,
  expected: readonly (readonly number[])[],
): readonly number[] {
  const units = values[0]![0]!.length;
  return expected.flatMap((codes, token) =>
    codes.map((code, group) => {
      const found = output.subarray((token * codes.length + group) * units).subarray(0, units);
      const codewords = values[values.length === 1 ? 0 : group]!;
      const equals = (codeword: readonly number[]) =>
        codeword.every((value, unit) => Math.fround(value) === found[unit]);
      return equals(codewords[code]!) ? code : codewords.findIndex(equals);
    }),
  );
}
