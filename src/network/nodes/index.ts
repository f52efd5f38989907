import type { Node } from "../graph.ts";
import type { NodeKind } from "../node-kind.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { quantizer } from "./quantizer.ts";
import { bias, flatten, input, maxPool, parameter, relu } from "./simple.ts";

const kinds: { readonly [K in Node["kind"]]: NodeKind<Extract<Node, { kind: K }>> } = {
  input,
  parameter,
  conv2d,
  dense,
  bias,
  relu,
  "max-pool": maxPool,
  flatten,
  quantizer,
};

/** The behaviour of a node, by its kind. */
export const kindOf = (node: Node): NodeKind<Node> => kinds[node.kind] as NodeKind<Node>;
