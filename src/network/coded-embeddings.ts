import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import type { CodedEmbeddingNode } from "../kinds/coded-embedding.ts";
import type { Network } from "../kinds/index.ts";
import { outputShapes } from "./output-shapes.ts";

/** An embedding by codes, with its sizes. */
export interface CodedEmbedding {
  readonly node: CodedEmbeddingNode;
  /** Tokens that have codes. */
  readonly vocabulary: number;
  /** Of an embedding. */
  readonly units: number;
  /** Of codewords: one for each group, or one for all. */
  readonly tables: number;
}

/** The embeddings by codes of a network, in order. */
export function codedEmbeddingsOf(network: Network): readonly CodedEmbedding[] {
  const shapes = outputShapes(network);
  return network.nodes.flatMap((node) => {
    if (node.kind !== "coded-embedding") return [];
    const [, queries, keys] = node.inputs;
    const [vocabulary] = tuple(lookup(shapes, queries), 2);
    const [, units] = tuple(lookup(shapes, node.id), 2);
    return [{ node, vocabulary, units, tables: tuple(lookup(shapes, keys), 3)[0] }];
  });
}
