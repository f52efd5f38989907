import { UsageError } from "../../core/errors.ts";
import type { Network } from "../../kinds/index.ts";
import { NetworkBuilder } from "../builder.ts";
import type { TextOptions } from "./options.ts";
import { encoderBlock, layerNorm, placed } from "./transformer.ts";

export interface TextEncoderOptions {
  /** Units of an embedding. */
  readonly width: number;
  /** Of each attention. */
  readonly heads: number;
  /** Blocks. */
  readonly depth: number;
}

/**
 * A transformer's encoder over the tokens of a text, with learned positions, and a dense layer on the mean of the tokens that
 * are no padding, to which nothing attends. Its width, heads and depth are BERT-Tiny's (Turc et al., 2019, arXiv
 * 1908.08962), of which it has all but the types of tokens and the pooler.
 *
 * @throws UsageError where the heads do not divide the width.
 */
export function textEncoder({
  length,
  vocabulary,
  classes,
  width,
  heads,
  depth,
}: TextOptions & TextEncoderOptions): Network {
  if (width % heads !== 0) {
    throw new UsageError(`network.heads: ${heads} heads do not divide ${width} units: take a number that divides them`);
  }
  const network = new NetworkBuilder();
  const tokens = network.input([length], { dtype: "int32" });
  const options = { rows: length, width, heads, normalized: "behind", epsilon: 1e-12, tokens } as const;
  const embedded = network.embedding("embedding", tokens, { vocabulary, units: width });
  let x = layerNorm(network, "norm", placed(network, "positions", embedded, [length, width]), options);
  for (let block = 1; block <= depth; block++) x = encoderBlock(network, `block${block}`, x, options);
  const output = network.dense("fc", network.maskedMean("mean", tokens, x), { inputs: width, outputs: classes });
  return network.build({ name: "text-encoder", outputs: [output] });
}
