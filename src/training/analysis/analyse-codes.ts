import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { TokenDescription } from "../../data/dataset.ts";
import { decodeCodes } from "../../kinds/coded/codewords.ts";
import { type CodedEmbedding, codedEmbeddingsOf } from "../../network/coded-embeddings.ts";
import type { CodeAnalysis } from "../../runs/analysis.ts";
import type { Model } from "../model.ts";
import { parameterValues } from "../snapshot.ts";

/** Words whose neighbours are shown, and how many of each. */
const SHOWN = 10;
const NEIGHBOURS = 5;
/** The most frequent words, which say nothing of what a text is about, are not shown. */
const FIRST_SHOWN = 100;

/** What became of tokens as codes: how codewords are used, which tokens share all codes, who stands beside whom. */
export const analyseCodes = (model: Model, tokens: TokenDescription | undefined): CodeAnalysis[] =>
  codedEmbeddingsOf(model.network).map((embedding) => {
    const { codes, changed } = lookup(model.codes, embedding.node.id);
    return {
      ...{ name: embedding.node.id, changed },
      ...usageOf(codes, embedding),
      distinct: distinctRows(codes, embedding.node.groups),
      neighbours: neighboursOf(model, embedding, { codes, words: tokens?.tokenizer?.tokens ?? null }),
    };
  });

/** Of each group: how evenly its codewords are used, and how many are not at all. */
function usageOf(codes: Int32Array, { node: { groups, codewords }, vocabulary }: CodedEmbedding) {
  const entropy: number[] = [];
  const unused: number[] = [];
  for (let group = 0; group < groups; group++) {
    const counts = new Float64Array(codewords);
    for (let row = 0; row < vocabulary; row++) count(counts, at(codes, row * groups + group));
    const bits = counts.reduce((sum, times) => {
      const share = times / vocabulary;
      return times === 0 ? sum : sum - share * Math.log2(share);
    }, 0);
    entropy.push(Number(bits.toFixed(4)));
    unused.push(counts.filter((times) => times === 0).length);
  }
  return { entropy, unused };
}

/** One more of a kind. */
function count(counts: Float64Array, kind: number): void {
  counts[kind] = at(counts, kind) + 1;
}

function distinctRows(codes: Int32Array, groups: number): number {
  const rows = new Set<string>();
  for (let from = 0; from < codes.length; from += groups) rows.add(codes.subarray(from, from + groups).join(" "));
  return rows.size;
}

/** The tokens most like some words, by cosine: by their queries, and by what their codes stand for. */
function neighboursOf(
  model: Model,
  { node, vocabulary, units, tables }: CodedEmbedding,
  { codes, words }: { readonly codes: Int32Array; readonly words: readonly string[] | null },
): CodeAnalysis["neighbours"] {
  if (words === null) return [];
  const [, queries, keys, values = keys] = node.inputs;
  const shape = [tables, node.codewords, units / node.groups] as const;
  const before = unitRows(parameterValues(model, queries), vocabulary);
  const after = unitRows(decodeCodes(codes, node.groups, parameterValues(model, values), shape), vocabulary);
  const shown = Array.from({ length: SHOWN }, (_, index) => FIRST_SHOWN + index).filter((token) => token < vocabulary);
  const named = (table: Float32Array, token: number) => nearest(table, token, units).map((other) => at(words, other));
  return shown.map((token) => ({
    word: at(words, token),
    before: named(before, token),
    after: named(after, token),
  }));
}

/** Rows of length 1. */
function unitRows(table: Float32Array, rows: number): Float32Array {
  const units = table.length / rows;
  const scaled = table.slice();
  for (let row = 0; row < rows; row++) {
    const own = scaled.subarray(row * units, (row + 1) * units);
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (const [unit, value] of own.entries()) own[unit] = value / length;
  }
  return scaled;
}

function nearest(table: Float32Array, token: number, units: number): readonly number[] {
  const own = table.subarray(token * units, (token + 1) * units);
  const likeness = Array.from({ length: table.length / units }, (_, other) => {
    const start = other * units;
    return own.reduce((sum, value, unit) => sum + value * at(table, start + unit), 0);
  });
  return [...likeness.keys()]
    .filter((other) => other !== token && other > 1)
    .sort((one, other) => at(likeness, other) - at(likeness, one) || one - other)
    .slice(0, NEIGHBOURS);
}
