import type { Ops, Tensor } from "../engine/ops.ts";
import type { Padding } from "../graph/graph.ts";
import { noPadding } from "../network/builder.ts";
import { type FrozenLayer, type FrozenNetwork, type FrozenNode, isFrozenLayer } from "./frozen-network.ts";
import { valuesOf } from "./tensor-values.ts";

/** A convolution that picks channels: exact, as all other weights are zero. */
function selection(ops: Ops, inputs: number, channels: readonly number[]): Tensor {
  const weights = new Float32Array(inputs * channels.length);
  for (const [output, channel] of channels.entries()) weights[channel * channels.length + output] = 1;
  return ops.tensor(weights, [1, 1, inputs, channels.length]);
}

/** No element is smaller: padding of a max-pool never wins. */
const LOWEST = -3.4e38;

const hasPadding = (padding: Padding): boolean => Object.values(padding).some((size) => size > 0);

/**
 * What the trainer's own kernels make of a frozen network: the yardstick for every exported file. Weights are uploaded
 * once; call `release` at the end. Tensors are [batch, height, width, channels] or [batch, units].
 */
export class Reference {
  readonly #ops: Ops;
  readonly #network: FrozenNetwork;
  readonly #parameters: ReadonlyMap<string, { readonly weight: Tensor; readonly bias: Tensor }>;

  constructor(ops: Ops, network: FrozenNetwork) {
    this.#ops = ops;
    this.#network = network;
    const layers = network.nodes.filter(isFrozenLayer);
    this.#parameters = new Map(
      layers.map(({ id, weight, bias }) => [
        id,
        { weight: ops.tensor(valuesOf(weight), weight.shape), bias: ops.tensor(bias, [bias.length]) },
      ]),
    );
  }

  /** The output of one node for what it reads, in order. */
  evaluateNode(node: FrozenNode, inputs: readonly Tensor[]): Tensor {
    const ops = this.#ops;
    const x = inputs[0]!;
    switch (node.kind) {
      case "input":
        return x;
      case "conv2d":
      case "depthwise-conv2d":
      case "dense": {
        const { weight, bias } = this.#parameters.get(node.id)!;
        return ops.addBias(this.#multiplied(node, x, weight), bias);
      }
      case "affine": {
        const [scale, shift] = [node.scale, node.shift].map((values) => ops.tensor(values, [values.length]));
        return ops.affine(x, scale!, shift!);
      }
      case "relu":
        return node.limit === null ? ops.relu(x) : ops.cappedRelu(x, node.limit);
      case "max-pool": {
        const padded = hasPadding(node.padding) ? ops.pad(x, { ...node, channels: [0, 0] }, LOWEST) : x;
        return ops.maxPool(padded, node).output;
      }
      case "average-pool":
        return ops.averagePool(x, node);
      case "global-average-pool":
        return ops.globalAveragePool(x);
      case "add":
        return ops.add(x, inputs[1]!);
      case "pad":
        return ops.pad(x, node);
      case "select":
        return ops.conv2d(x, selection(ops, x.shape.at(-1)!, node.channels), { stride: 1, padding: noPadding });
      case "flatten":
        return ops.reshape(x, [x.shape[0]!, ...node.outputShape]);
      case "quantizer":
        return ops.quantize(x, node);
    }
  }

  #multiplied(node: FrozenLayer, x: Tensor, weight: Tensor): Tensor {
    const ops = this.#ops;
    if (node.kind === "dense") return ops.matmul(x, weight);
    return node.kind === "conv2d" ? ops.conv2d(x, weight, node) : ops.depthwiseConv2d(x, weight, node);
  }

  /** The network's output for normalised images; owned by the caller. */
  logits(images: Tensor): Tensor {
    const { nodes, output } = this.#network;
    const uses = new Map<string, number>([[output, 1]]);
    for (const { inputs } of nodes) for (const id of inputs) uses.set(id, (uses.get(id) ?? 0) + 1);
    const values = new Map<string, Tensor>();
    for (const node of nodes) {
      const inputs = node.kind === "input" ? [images] : node.inputs.map((id) => values.get(id)!);
      const value = this.#ops.scope(
        () => this.evaluateNode(node, inputs),
        (result) => [result],
      );
      values.set(node.id, value);
      for (const [index, id] of node.inputs.entries()) {
        const left = uses.get(id)! - 1;
        uses.set(id, left);
        if (left === 0 && inputs[index] !== images) this.#ops.release(inputs[index]!);
      }
    }
    return values.get(output)!;
  }

  release(): void {
    for (const { weight, bias } of this.#parameters.values()) {
      this.#ops.release(weight);
      this.#ops.release(bias);
    }
  }
}
