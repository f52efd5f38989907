import { at, last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { byGroup, byToken, codewordRows, codewordsOf } from "./codewords.ts";
import { normalizationGradient } from "./normalized-responses.ts";
import { dotGradients } from "./responses.ts";

/** Codes of a batch as they were chosen. Its distinct tokens count as often as they stand in it. */
export interface ChosenCodes {
  /** Of distinct tokens, by group: [groups·tokens, units]. */
  readonly queries: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
  /** Responses, normalized where they are: [tables, rows, codewords], by group. */
  readonly responses: Tensor;
  /** How they were normalized; null: they were not. */
  readonly norm: { readonly inverse: Tensor; readonly weights: Tensor } | null;
  /** Token by token. */
  readonly codes: Int32Array;
  readonly groups: number;
  /** Of distinct tokens. */
  readonly counts: Float32Array;
  /** Tokens of the batch. */
  readonly total: number;
}

/** What learning codes comes to, and what it adds to the loss. */
export interface CodeGradients {
  /** Of distinct tokens: [tokens, groups·units]. */
  readonly queries: Tensor;
  readonly keys: Tensor;
  /** null: the keys are the values. */
  readonly values: Tensor | null;
  readonly penalty: number;
}

/** The authors': keeps the logarithm finite. */
const LEAST_PROBABILITY = 1e-10;

/**
 * Codes by softmax (Chen et al. 2020, section 2.3): forward is the codeword of the largest response, backward as if it
 * were the mean of all by p = softmax(response/temperature). The penalty is -beta·mean(log p of the code).
 *
 * @param gradient Of the outputs, summed over the places of each distinct token: [tokens, groups·units].
 */
export function learnBySoftmax(
  gradient: Tensor,
  chosen: ChosenCodes,
  { temperature, beta }: { readonly temperature: number; readonly beta: number },
  ops: Ops,
): CodeGradients {
  const { keys, values, responses, norm, codes, groups } = chosen;
  const [tables, codewords, units] = tuple(values.shape, 3);
  const [count] = tuple(gradient.shape, 2);
  const perTable = (count * groups) / tables;
  const rows = codewordRows(codes, groups, values.shape);
  const byValue = ops.sumByIndex(
    ops.reshape(gradient, [count * groups, units]),
    ops.tensor(rows, [rows.length]),
    tables * codewords,
  );

  const wide = [groups * count, codewords];
  const upstream = ops.reshape(byGroup(gradient, groups, ops), [tables, perTable, units]);
  const byWeight = ops.reshape(ops.batchMatmul(upstream, values, { transposeB: true }), wide);
  const scaled = scale(ops.reshape(responses, wide), 1 / temperature, ops);
  const { softmax, log } = ops.extension("softmax");
  const p = softmax(scaled);
  const entropy = beta === 0 ? null : entropyTerms(p, chosen, beta, { log, ops });
  const byP = entropy === null ? byWeight : ops.add(byWeight, entropy.gradient);
  const inner = ops.matmul(ops.multiply(p, byP), ops.tensor(new Float32Array(codewords).fill(1), [codewords, 1]));
  const byScaled = ops.multiply(p, ops.add(byP, scale(inner, -1, ops)));
  const byChoice = ops.reshape(scale(byScaled, 1 / temperature, ops), responses.shape);
  const byResponse =
    norm === null ? byChoice : normalizationGradient(byChoice, { ...norm, normalized: responses }, ops);
  const dots = dotGradients(ops.reshape(byResponse, [tables, perTable, codewords]), chosen, ops);
  return {
    queries: byToken(dots.queries, groups, ops),
    keys: ops.reshape(dots.keys, keys.shape),
    values: ops.reshape(byValue, values.shape),
    penalty: entropy?.penalty ?? 0,
  };
}

/**
 * Codes straight through (section 2.4): a query's gradient is that of its codeword, and codewords follow the queries that
 * chose them. The penalty is mean |codeword - query|², whose gradient goes to codewords, and beta times the same, to
 * queries.
 *
 * @param gradient As above.
 */
export function learnStraightThrough(
  gradient: Tensor,
  { queries, keys, codes, groups, counts, total }: ChosenCodes,
  { beta }: { readonly beta: number },
  ops: Ops,
): CodeGradients {
  const units = last(keys.shape);
  const [count, width] = tuple(gradient.shape, 2);
  const rows = codewordRows(codes, groups, keys.shape);
  const apart = ops.add(
    ops.reshape(codewordsOf(keys, rows, ops), [count, width]),
    scale(byToken(queries, groups, ops), -1, ops),
  );
  const share = ops.tensor(
    counts.map((times) => times / (total * width)),
    [count, 1],
  );
  const weighted = ops.multiply(apart, share);
  const byCodeword = ops.sumByIndex(
    scale(ops.reshape(weighted, [count * groups, units]), 2, ops),
    ops.tensor(rows, [rows.length]),
    at(keys.shape, 0) * at(keys.shape, 1),
  );
  return {
    queries: beta === 0 ? gradient : ops.add(gradient, scale(weighted, -2 * beta, ops)),
    keys: ops.reshape(byCodeword, keys.shape),
    values: null,
    penalty: (1 + beta) * ops.scalar(ops.dot(apart, weighted)),
  };
}

/**
 * -beta·Σ w·log(p + 1e-10), a mean over tokens and groups, with w = 1 at the code, which passes its gradient on to p; and
 * its gradient by p.
 */
function entropyTerms(
  p: Tensor,
  { codes, groups, counts, total }: ChosenCodes,
  beta: number,
  { log, ops }: { readonly log: (x: Tensor) => Tensor; readonly ops: Ops },
): { readonly gradient: Tensor; readonly penalty: number } {
  const [rows, codewords] = tuple(p.shape, 2);
  const tokens = counts.length;
  const share = (row: number) => (-beta * at(counts, row % tokens)) / (total * groups);
  const shares = ops.tensor(
    Float32Array.from({ length: rows }, (_, row) => share(row)),
    [rows, 1],
  );
  const logs = log(ops.add(p, ops.tensor(Float32Array.of(LEAST_PROBABILITY), [])));
  const [probabilities, logarithms] = [ops.read(p), ops.read(logs)];
  const inverse = new Float32Array(rows * codewords);
  let penalty = 0;
  for (let row = 0; row < rows; row++) {
    const place = row * codewords + at(codes, (row % tokens) * groups + Math.floor(row / tokens));
    inverse[place] = 1 / (at(probabilities, place) + LEAST_PROBABILITY);
    penalty += share(row) * at(logarithms, place);
  }
  const byP = ops.add(logs, ops.tensor(inverse, [rows, codewords]));
  return { gradient: ops.multiply(byP, shares), penalty };
}

const scale = (x: Tensor, factor: number, ops: Ops): Tensor =>
  factor === 1 ? x : ops.multiply(x, ops.tensor(Float32Array.of(factor), []));
