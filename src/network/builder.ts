import type { Network, Node, NodeId, Padding } from "./graph.ts";

export const noPadding: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

/** Writes a network layer by layer; each call returns the id of the node it ends with. */
export class NetworkBuilder {
  readonly #nodes: Node[] = [{ kind: "input", id: "input" }];
  readonly input: NodeId = "input";

  /** Convolution with bias: weight [kernel, kernel, in, out]. */
  conv2d(
    id: string,
    input: NodeId,
    {
      kernel,
      inputs,
      outputs,
      stride = 1,
      padding = noPadding,
    }: { kernel: number; inputs: number; outputs: number; stride?: number; padding?: Padding },
  ): NodeId {
    const fanIn = kernel * kernel * inputs;
    const weight = this.#parameter(`${id}.weight`, "weight", [kernel, kernel, inputs, outputs], fanIn);
    this.#nodes.push({ kind: "conv2d", id, inputs: [input, weight], stride, padding });
    return this.#bias(id, outputs, fanIn);
  }

  /** Dense layer with bias: weight [in, out]. */
  dense(id: string, input: NodeId, { inputs, outputs }: { inputs: number; outputs: number }): NodeId {
    const weight = this.#parameter(`${id}.weight`, "weight", [inputs, outputs], inputs);
    this.#nodes.push({ kind: "dense", id, inputs: [input, weight] });
    return this.#bias(id, outputs, inputs);
  }

  relu(id: string, input: NodeId): NodeId {
    return this.#push({ kind: "relu", id, inputs: [input] });
  }

  maxPool(id: string, input: NodeId, { size, stride = size }: { size: number; stride?: number }): NodeId {
    return this.#push({ kind: "max-pool", id, inputs: [input], size, stride });
  }

  flatten(id: string, input: NodeId): NodeId {
    return this.#push({ kind: "flatten", id, inputs: [input] });
  }

  build(description: Pick<Network, "name" | "inputShape" | "classes" | "output">): Network {
    return { ...description, nodes: this.#nodes };
  }

  #push(node: Node): NodeId {
    this.#nodes.push(node);
    return node.id;
  }

  #parameter(id: string, role: "weight" | "bias", shape: readonly number[], fanIn: number): NodeId {
    return this.#push({ kind: "parameter", id, role, shape, fanIn });
  }

  #bias(layer: NodeId, outputs: number, fanIn: number): NodeId {
    const bias = this.#parameter(`${layer}.bias`, "bias", [outputs], fanIn);
    return this.#push({ kind: "bias", id: `${layer}.biased`, inputs: [layer, bias] });
  }
}
