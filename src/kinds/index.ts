import type { Node } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { batchNorm, fold } from "./batch-norm.ts";
import { conv2d, depthwiseConv2d } from "./convolution.ts";
import { dense } from "./dense.ts";
import { foldedNorm } from "./folded-norm.ts";
import { averagePool, globalAveragePool, maxPool } from "./pooling.ts";
import { quantizer } from "./quantizer.ts";
import { add, bias, flatten, input, pad, parameter, relu } from "./simple.ts";

const kinds: { readonly [K in Node["kind"]]: NodeKind<Extract<Node, { kind: K }>> } = {
  input,
  parameter,
  conv2d,
  "depthwise-conv2d": depthwiseConv2d,
  dense,
  bias,
  "batch-norm": batchNorm,
  fold,
  "folded-norm": foldedNorm,
  relu,
  "max-pool": maxPool,
  "average-pool": averagePool,
  "global-average-pool": globalAveragePool,
  add,
  pad,
  flatten,
  quantizer,
};

/** The behaviour of a node, by its kind. */
export const kindOf = (node: Node): NodeKind<Node> => kinds[node.kind] as NodeKind<Node>;
