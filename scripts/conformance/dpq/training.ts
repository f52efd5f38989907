import { z } from "zod";
import type { Ops } from "../../../src/engine/ops.ts";
import { largestDifference, largestMagnitude, numbers, type Outcome, Tally } from "../compare.ts";
import { type CodedTables, passThrough, table } from "./tables.ts";

const state = z.object({ query_wemb: z.array(numbers), centroids_k: table, centroids_v: table.optional() });
const file = z.object({
  cases: z.array(
    z.object({
      kind: z.enum(["smx", "vq"]),
      D: z.int(),
      emb_size: z.int(),
      K: z.int(),
      additive_quantization: z.boolean(),
      learning_rate: z.number(),
      cotangent: table,
      initial: state,
      steps: z.array(z.object({ ids: z.array(numbers), loss_before_step: z.number(), embedding_before_step: table })),
      final: state,
      final_moving: z.object({ moving_mean: numbers, moving_variance: numbers }),
    }),
  ),
});

/** The share of the upstream gradient in the file's loss. */
const UPSTREAM = 0.05;
const TOLERANCE = 1e-4;

/**
 * embedding_training.json: three steps of plain gradient descent, tokens repeated. Where groups are added up, each makes
 * the whole embedding, and their mean counts.
 */
export function checkCodedTraining(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  for (const golden of file.parse(content).cases) {
    const { initial, final, D: groups, emb_size: units, additive_quantization: additive } = golden;
    const width = initial.query_wemb[0]!.length;
    let tables: CodedTables = {
      node: {
        ...({ kind: "coded-embedding", id: "embedding", inputs: ["tokens", "queries", "keys"] } as const),
        ...{ groups, codewords: golden.K },
        ...({
          variant: golden.kind === "smx" ? "sx" : "vq",
          temperature: 1,
          beta: 0,
          normalization: "codeword",
        } as const),
      },
      queries: { values: Float32Array.from(initial.query_wemb.flat()), width },
      keys: initial.centroids_k,
      values: initial.centroids_v ?? null,
      statistics: { mean: new Float32Array(golden.K), variance: new Float32Array(golden.K).fill(1) },
    };
    const cotangent = golden.cotangent.flat(2).map((value) => UPSTREAM * value);
    tally.case((check) => {
      for (const step of golden.steps) {
        const tokens = Int32Array.from(step.ids.flat());
        const gradient = additive ? spread(cotangent, units, groups) : Float32Array.from(cotangent);
        const passed = passThrough(tables, { tokens, gradient, training: true }, ops);
        const output = additive ? meanOf(passed.output, units, groups) : passed.output;
        check(difference(output, step.embedding_before_step.flat(2)), TOLERANCE);
        const loss = output.reduce((sum, value, at) => sum + value * cotangent[at]!, passed.penalty);
        check(Math.abs(loss - step.loss_before_step), TOLERANCE);
        const [byQuery, byKey, byValue] = passed.gradients;
        const rate = golden.learning_rate;
        const lowered = (values: z.infer<typeof table>, by: Float32Array): z.infer<typeof table> => {
          let at = 0;
          return values.map((group) => group.map((codeword) => codeword.map((value) => value - rate * by[at++]!)));
        };
        tables = {
          ...tables,
          queries: { width, values: tables.queries.values.map((value, at) => value - rate * byQuery![at]!) },
          keys: lowered(tables.keys, byKey!),
          values: tables.values && lowered(tables.values, byValue!),
          statistics: passed.statistics ?? tables.statistics,
        };
      }
      check(difference(tables.queries.values, final.query_wemb.flat()), TOLERANCE);
      check(difference(tables.keys.flat(2), final.centroids_k.flat(2)), TOLERANCE);
      if (final.centroids_v) check(difference(tables.values!.flat(2), final.centroids_v.flat(2)), TOLERANCE);
      check(difference(tables.statistics!.mean, golden.final_moving.moving_mean), TOLERANCE);
      check(difference(tables.statistics!.variance, golden.final_moving.moving_variance), TOLERANCE);
    });
  }
  return tally;
}

/** The gradient of a mean of groups, by each of them. */
const spread = (gradient: readonly number[], units: number, groups: number): Float32Array =>
  Float32Array.from({ length: gradient.length * groups }, (_, at) => {
    const token = Math.floor(at / (units * groups));
    return gradient[token * units + (at % units)]! / groups;
  });

function meanOf(output: Float32Array, units: number, groups: number): Float32Array {
  const means = new Float32Array(output.length / groups);
  output.forEach((value, at) => {
    means[Math.floor(at / (units * groups)) * units + (at % units)]! += value / groups;
  });
  return means;
}

const difference = (actual: ArrayLike<number>, expected: readonly number[]): number =>
  largestDifference(actual, expected) / Math.max(largestMagnitude(expected), 1e-6);
