import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { Split } from "../data/dataset.ts";
import { tokensOf } from "../data/sample-numbers.ts";
import { vocabularyCodes, vocabularyStatistics } from "../kinds/coded/vocabulary-codes.ts";
import { type CodedEmbedding, codedEmbeddingsOf } from "../network/coded-embeddings.ts";
import type { FrozenCodes, Model } from "./model.ts";

/**
 * Freezes the codes of all tokens, by statistics of the whole training part, which take the place of the running ones. From
 * then on an evaluation reads the codes, as the exported file does. Where they are frozen already nothing changes.
 *
 * @param batchSize In which the training part is read; it decides nothing.
 */
export async function freezeCodes(model: Model, train: Split, batchSize: number): Promise<void> {
  const learned = codedEmbeddingsOf(model.network).filter(({ node }) => !model.codes.has(node.id));
  if (learned.length === 0) return;
  const counts = await countTokens(train, batchSize, Math.max(...learned.map(({ vocabulary }) => vocabulary)));
  for (const embedding of learned) model.codes.set(embedding.node.id, freeze(model, embedding, counts));
}

function freeze(
  { ops, parameters, statistics }: Model,
  { node, vocabulary }: CodedEmbedding,
  counts: Float64Array,
): FrozenCodes {
  const [, queries, keys] = node.inputs;
  return ops.scope(
    () => {
      const tables = {
        queries: ops.value(lookup(parameters, queries)),
        keys: ops.value(lookup(parameters, keys)),
      };
      if (node.normalization === "none") return { codes: vocabularyCodes(node, tables, null, ops), changed: 0 };
      const running = lookup(statistics, node.id);
      const before = vocabularyCodes(node, tables, running, ops);
      const { mean, variance } = vocabularyStatistics(node, tables, counts.subarray(0, vocabulary), ops);
      running.mean.set(mean);
      running.variance.set(variance);
      const codes = vocabularyCodes(node, tables, running, ops);
      return { codes, changed: codes.reduce((sum, code, place) => sum + (code === before[place] ? 0 : 1), 0) };
    },
    () => [],
  );
}

/** How often each token stands in a split, padding among them, as in training. */
async function countTokens(split: Split, batchSize: number, vocabulary: number): Promise<Float64Array> {
  const counts = new Float64Array(vocabulary);
  for await (const { images } of split.batches({ batchSize })) {
    for (const token of tokensOf(images)) counts[token] = at(counts, token) + 1;
  }
  return counts;
}
