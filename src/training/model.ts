import { uniforms } from "../engine/noise.ts";
import type { Ops, Variable } from "../engine/ops.ts";
import type { GatedQuantizer } from "../methods/gated-quantizer.ts";
import type { Network, NodeId } from "../network/graph.ts";
import { elementsOf } from "../network/shapes.ts";

/** A network in training: its graph with quantizers, and everything that is learned. */
export interface Model {
  readonly network: Network;
  readonly ops: Ops;
  readonly parameters: ReadonlyMap<NodeId, Variable>;
  readonly quantizers: ReadonlyMap<NodeId, GatedQuantizer>;
}

/** First values of the trained tensors: uniform in ±1/sqrt(fan in), as PyTorch's defaults. */
export function createParameters(network: Network, ops: Ops, seed: number): ReadonlyMap<NodeId, Variable> {
  const parameters = new Map<NodeId, Variable>();
  for (const node of network.nodes) {
    if (node.kind !== "parameter") continue;
    const bound = 1 / Math.sqrt(node.fanIn);
    const drawn = uniforms({ seed, stream: node.id, counter: 0 }, elementsOf(node.shape));
    const values = Float32Array.from(drawn, (u) => (2 * u - 1) * bound);
    parameters.set(node.id, ops.variable(node.id, values, node.shape));
  }
  return parameters;
}
