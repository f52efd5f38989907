import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import type { NodeId } from "../graph/graph.ts";
import { nodesById } from "../graph/walk.ts";
import type { Network } from "../kinds/index.ts";
import { productMacs } from "../kinds/matmul.ts";
import { sourceOf } from "./layers.ts";
import { outputShapes } from "./output-shapes.ts";

/** A product of two activations, as bit operations and budgets see it: an attention has two. */
export interface Product {
  readonly name: NodeId;
  /** Multiply-accumulates for one sample. */
  readonly macs: number;
  readonly outputShape: readonly number[];
  /** The quantizers of what it multiplies; null: it is not quantized. */
  readonly quantizers: readonly [left: NodeId | null, right: NodeId | null];
}

/** The products of activations of a network with and without quantizers, in order. */
export function productsOf(network: Network): readonly Product[] {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const quantizerOf = (id: NodeId) => {
    const source = sourceOf(nodes, id);
    return source.kind === "quantizer" ? source.id : null;
  };
  return network.nodes
    .filter((node) => node.kind === "matmul")
    .map(({ id, inputs }) => {
      const outputShape = lookup(shapes, id);
      const macs = productMacs(lookup(shapes, inputs[0]), outputShape);
      return { name: id, macs, outputShape, quantizers: tuple(inputs.map(quantizerOf), 2) };
    });
}
