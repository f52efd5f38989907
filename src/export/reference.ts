import type { Ops, Tensor } from "../engine/ops.ts";
import type { FrozenLayer, FrozenNetwork, FrozenNode, FrozenTensor } from "./frozen-network.ts";

/** The values of a stored tensor: codes · scale, float32, as the trained network sees them. */
export function valuesOf(tensor: FrozenTensor): Float32Array {
  if (tensor.bits === 32) return tensor.values;
  const { codes, scale } = tensor;
  return Float32Array.from(codes, (code) => code * scale);
}

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
    const layers = network.nodes.filter((node): node is FrozenLayer => "weight" in node);
    this.#parameters = new Map(
      layers.map(({ id, weight, bias }) => [
        id,
        { weight: ops.tensor(valuesOf(weight), weight.shape), bias: ops.tensor(bias, [bias.length]) },
      ]),
    );
  }

  /** The output of one node for the input `x`. */
  evaluateNode(node: FrozenNode, x: Tensor): Tensor {
    const ops = this.#ops;
    switch (node.kind) {
      case "input":
        return x;
      case "conv2d": {
        const { weight, bias } = this.#parameters.get(node.id)!;
        return ops.addBias(ops.conv2d(x, weight, node), bias);
      }
      case "dense": {
        const { weight, bias } = this.#parameters.get(node.id)!;
        return ops.addBias(ops.matmul(x, weight), bias);
      }
      case "relu":
        return ops.relu(x);
      case "max-pool":
        return ops.maxPool(x, node).output;
      case "flatten":
        return ops.reshape(x, [x.shape[0]!, ...node.outputShape]);
      case "quantizer":
        return ops.quantize(x, node);
    }
  }

  /** The class that the network gives to each image of a batch; `images` are normalised. */
  classify(images: Tensor): Int32Array {
    const ops = this.#ops;
    const classes = ops.scope(
      () => {
        const values = new Map<string, Tensor>();
        for (const node of this.#network.nodes) {
          const x = node.kind === "input" ? images : values.get(node.input)!;
          values.set(node.id, this.evaluateNode(node, x));
        }
        return ops.argMax(values.get(this.#network.output)!);
      },
      (result) => [result],
    );
    const read = Int32Array.from(ops.read(classes));
    ops.release(classes);
    return read;
  }

  release(): void {
    for (const { weight, bias } of this.#parameters.values()) {
      this.#ops.release(weight);
      this.#ops.release(bias);
    }
  }
}
