import { at, first, last } from "../core/elements.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import { readFloats } from "../engine/read-floats.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind, Pass } from "../graph/node-kind.ts";
import { mixedChannels } from "./channel-flows.ts";
import { byGroup, chosenCodes, decoded } from "./coded/codewords.ts";
import { type DistinctTokens, distinctTokens } from "./coded/distinct-tokens.ts";
import { learnBySoftmax, learnStraightThrough } from "./coded/learn-codes.ts";
import { asTables, normalizeByBatch, normalizeByRunning, tablesOf } from "./coded/normalized-responses.ts";
import { responses } from "./coded/responses.ts";
import { tokenShape } from "./embedding.ts";

/**
 * An embedding by codes (Chen et al., Differentiable Product Quantization, ICML 2020): a token's query is cut in groups;
 * of each group it gets the value of the codeword that answers best. [tokens] (int32) to [tokens, units].
 */
export interface CodedEmbeddingNode {
  readonly kind: "coded-embedding";
  readonly id: NodeId;
  /**
   * queries [vocabulary, groups·units in], keys [groups, codewords, units in], values [groups, codewords, units out]; 1 in
   * place of groups where they share their codewords. `vq` has no values: its keys are.
   */
  readonly inputs: readonly [tokens: NodeId, queries: NodeId, keys: NodeId, ...values: NodeId[]];
  readonly groups: number;
  readonly codewords: number;
  /** `sx`: <query, key>, learned through a softmax. `vq`: the nearest key, learned straight through. */
  readonly variant: "sx" | "vq";
  /** Of the softmax. */
  readonly temperature: number;
  /** Weight of the entropy of the softmax, or of the distance of queries from their codewords. */
  readonly beta: number;
  /** What batch normalization of responses takes together: a codeword's of all groups, as the authors, or of each. */
  readonly normalization: "codeword" | "group" | "none";
}

/** tokens, queries, keys and values as they went in; then, of the batch: queries by group, responses, codes, 1/deviation. */
type Saved = readonly [Tensor, Tensor, Tensor, Tensor, ...chosen: (Tensor | null)[]];

export const codedEmbedding: NodeKind<CodedEmbeddingNode, Saved> = {
  shape({ id, groups, codewords }, [tokens, queries, keys, values = keys]) {
    for (const [tables, entries] of [keys, values]) {
      if ((tables === 1 || tables === groups) && entries === codewords) continue;
      throw new Error(
        `${id}: has [${keys}] keys and [${values}] values, expected ${codewords} for all, or each, of ${groups} groups`,
      );
    }
    if (last(queries) !== groups * last(keys)) {
      throw new Error(
        `${id}: its queries have ${last(queries)} units, expected ${groups} times the ${last(keys)} of a key`,
      );
    }
    return [...tokenShape(id, tokens), groups * last(values)];
  },
  macs: null,
  readsIntegers: true,
  forward(node, [tokens, queries, keys, values = keys], pass) {
    const { ops } = pass;
    const words = distinctTokens(ops.read(tokens));
    const { groups } = node;
    const place = (codes: Int32Array) =>
      ops.gather(decoded(codes, groups, values, ops), ops.tensor(words.places, tokens.shape), 0);
    const frozen = pass.training ? null : pass.codes(node.id);
    if (frozen !== null) {
      return { output: place(codesOf(frozen, words.tokens, groups)), saved: [tokens, queries, keys, values] };
    }
    const picked = ops.gather(queries, ops.tensor(words.tokens, [words.tokens.length]), 0);
    const rows = byGroup(picked, groups, ops);
    const raw = responses(rows, keys, node.variant === "sx" ? "dot" : "euclidean", ops);
    const { normalized, inverse } = normalize(node, raw, words, pass);
    const codes = chosenCodes(normalized, groups, ops);
    return {
      output: place(codes),
      saved: [tokens, queries, keys, values, rows, normalized, ops.tensor(codes, [codes.length]), inverse],
    };
  },
  addsBias: false,
  backward(node, gradient, [tokens, queries, keys, values, rows, chosenBy, codes, inverse], pass) {
    const { ops } = pass;
    if (!rows || !chosenBy || !codes) throw new Error(`${node.id}: its codes are frozen, and learn no more`);
    const words = distinctTokens(ops.read(tokens));
    const { groups } = node;
    const count = words.tokens.length;
    const total = words.places.length;
    const summed = ops.sumByIndex(gradient, ops.tensor(words.places, tokens.shape), count);
    const learned = (node.variant === "sx" ? learnBySoftmax : learnStraightThrough)(
      summed,
      {
        ...{ queries: rows, keys, values, responses: chosenBy, groups, counts: words.counts, total },
        codes: Int32Array.from(ops.read(codes)),
        norm: inverse ? { inverse, weights: rowWeights(node, words, ops) } : null,
      },
      node,
      ops,
    );
    pass.penalty(node.id, learned.penalty);
    const byQuery = ops.sumByIndex(learned.queries, ops.tensor(words.tokens, [count]), first(queries.shape));
    return [null, byQuery, learned.keys, ...(learned.values === null ? [] : [learned.values])];
  },
  nonNegative: () => false,
  grid: "new",
  channels: mixedChannels,
  letsFactorsPass: () => false,
  statistics: (node) => (node.normalization === "none" ? 0 : tablesOf(node) * node.codewords),
  copies: 0,
};

/** The frozen codes of tokens, token by token. */
const codesOf = (frozen: Int32Array, tokens: Int32Array, groups: number): Int32Array =>
  Int32Array.from({ length: tokens.length * groups }, (_, place) =>
    at(frozen, at(tokens, Math.floor(place / groups)) * groups + (place % groups)),
  );

type Batch = Pick<DistinctTokens, "counts" | "places">;

/** What each row of responses, by group, counts in its statistics: [tables, 1, rows], 1 in sum for each table. */
function rowWeights(node: CodedEmbeddingNode, { counts, places }: Batch, ops: Ops): Tensor {
  const { groups } = node;
  const tables = tablesOf(node);
  const rows = (counts.length * groups) / tables;
  const total = (places.length * groups) / tables;
  const weights = Float32Array.from({ length: tables * rows }, (_, row) => at(counts, row % counts.length) / total);
  return ops.tensor(weights, [tables, 1, rows]);
}

/** Responses as codes are chosen by: normalized, with the batch's statistics in training, else the running ones. */
function normalize(
  node: CodedEmbeddingNode,
  raw: Tensor,
  batch: Batch,
  pass: Pass,
): { readonly normalized: Tensor; readonly inverse: Tensor | null } {
  const { ops } = pass;
  if (node.normalization === "none") return { normalized: raw, inverse: null };
  const x = asTables(raw, tablesOf(node), ops);
  if (!pass.training) return { normalized: normalizeByRunning(x, pass.statistics(node.id), ops), inverse: null };
  const { normalized, inverse, statistics } = normalizeByBatch(x, rowWeights(node, batch, ops), ops);
  pass.observe(node.id, {
    mean: readFloats(ops, statistics.mean),
    variance: readFloats(ops, statistics.variance),
  });
  return { normalized, inverse };
}
