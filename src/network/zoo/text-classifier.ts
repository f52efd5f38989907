import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import type { TextOptions } from "./options.ts";

export interface TextClassifierOptions {
  /** Units of an embedding. */
  readonly dimension: number;
  /** Of a table in two factors, [vocabulary, rank] and [rank, dimension]; left out: one table. */
  readonly rank?: number | undefined;
  /** Units of the hidden dense layer. */
  readonly hidden: number;
}

/**
 * The text classifier of Chen et al. (2020, arXiv 1908.09756): the mean of a text's embeddings, batch normalization and
 * ReLU, a dense layer with the same behind it, and one for the classes. A table in two factors is multiplied by the second
 * one behind the mean, which is the same, and costs one product for each text.
 */
export function textClassifier({
  length,
  vocabulary,
  classes,
  dimension,
  rank,
  hidden,
}: TextOptions & TextClassifierOptions): Network {
  const network = new NetworkBuilder();
  const tokens = network.input([length], { dtype: "int32" });
  const units = rank ?? dimension;
  let x = network.maskedMean("mean", tokens, network.embedding("embedding", tokens, { vocabulary, units }));
  if (rank !== undefined) x = network.dense("projection", x, { inputs: rank, outputs: dimension, bias: false });
  const normalized = (id: string, before: string, channels: number) =>
    network.relu(`relu${id}`, network.batchNorm(`norm${id}`, before, { channels }));
  x = normalized("1", x, dimension);
  x = normalized("2", network.dense("fc1", x, { inputs: dimension, outputs: hidden, bias: false }), hidden);
  return network.build({
    name: "text-classifier",
    outputs: [network.dense("fc2", x, { inputs: hidden, outputs: classes })],
  });
}
