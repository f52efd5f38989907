import { at, first } from "../../core/elements.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import type { RunningStatistics } from "../../graph/node-kind.ts";
import type { CodedEmbeddingNode } from "../coded-embedding.ts";
import { byGroup, chosenCodes } from "./codewords.ts";
import { asTables, negative, normalizeByRunning, tablesOf } from "./normalized-responses.ts";
import { responses } from "./responses.ts";

/** Tokens whose responses are there at once. */
const CHUNK = 1024;

export interface CodeTables {
  /** [vocabulary, groups·units] */
  readonly queries: Tensor;
  readonly keys: Tensor;
}

/** The codes of all tokens by these statistics, [vocabulary, groups]. */
export function vocabularyCodes(
  node: CodedEmbeddingNode,
  tables: CodeTables,
  statistics: RunningStatistics | null,
  ops: Ops,
): Int32Array {
  const codes = new Int32Array(first(tables.queries.shape) * node.groups);
  overVocabulary(node, tables, ops, (x, start) => {
    const chosenBy = statistics === null ? x : normalizeByRunning(x, statistics, ops);
    codes.set(chosenCodes(chosenBy, node.groups, ops), start * node.groups);
  });
  return codes;
}

/**
 * Mean and variance of responses where tokens count as often as `counts` says, whatever the order and the sizes of batches
 * that they came in.
 */
export function vocabularyStatistics(
  node: CodedEmbeddingNode,
  tables: CodeTables,
  counts: Float64Array,
  ops: Ops,
): RunningStatistics {
  const sets = tablesOf(node);
  const size = sets * node.codewords;
  const total = counts.reduce((sum, count) => sum + count, 0) * (node.groups / sets);
  const weighted = (of: (x: Tensor) => Tensor): Float64Array => {
    const sums = new Float64Array(size);
    overVocabulary(node, tables, ops, (x, start, tokens) => {
      const rows = (tokens * node.groups) / sets;
      const weights = Float32Array.from(
        { length: sets * rows },
        (_, row) => at(counts, start + (row % tokens)) / total,
      );
      const part = readFloats(ops, ops.batchMatmul(ops.tensor(weights, [sets, 1, rows]), of(x)));
      for (const [index, value] of part.entries()) sums[index] = at(sums, index) + value;
    });
    return sums;
  };
  const mean = Float32Array.from(weighted((x) => x));
  const variance = weighted((x) => {
    const centred = ops.add(x, negative(ops.tensor(mean, [sets, 1, node.codewords]), ops));
    return ops.multiply(centred, centred);
  });
  return { mean, variance: Float32Array.from(variance) };
}

/** Responses to the queries of all tokens, some tokens at a time: [sets, rows, codewords], by group. */
function overVocabulary(
  node: CodedEmbeddingNode,
  { queries, keys }: CodeTables,
  ops: Ops,
  take: (responses: Tensor, start: number, tokens: number) => void,
): void {
  const vocabulary = first(queries.shape);
  for (let start = 0; start < vocabulary; start += CHUNK) {
    ops.scope(
      () => {
        const tokens = Math.min(CHUNK, vocabulary - start);
        const indices = Int32Array.from({ length: tokens }, (_, index) => start + index);
        const rows = byGroup(ops.gather(queries, ops.tensor(indices, [tokens]), 0), node.groups, ops);
        const raw = responses(rows, keys, node.variant === "sx" ? "dot" : "euclidean", ops);
        take(asTables(raw, tablesOf(node), ops), start, tokens);
      },
      () => [],
    );
  }
}
