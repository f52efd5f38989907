import { pairOf, type Sides } from "../core/pair.ts";
import type { Nonlinearity } from "../engine/nonlinearity.ts";
import type { InputType, NodeId, Padding, Shape } from "../graph/graph.ts";
import type { LayerNode, Network, Node } from "../kinds/index.ts";
import type { Initial, ParameterNode } from "../kinds/parameter.ts";
import { noPadding } from "../kinds/windows.ts";

/** The same number of rows and columns on every side. */
export const evenPadding = (size: number): Padding => ({ top: size, bottom: size, left: size, right: size });

/** PyTorch's default: the square root of the variance that keeps batch statistics finite. */
const EPSILON = 1e-5;

interface LayerOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Adds one number per output channel; leave it out before a batch normalization, whose shift takes its place. */
  readonly bias?: boolean;
}

interface ConvolutionOptions {
  readonly kernel: Sides;
  readonly stride?: Sides;
  readonly dilation?: Sides;
  readonly padding?: Padding;
}

const geometryOf = ({ stride = 1, dilation = 1, padding = noPadding }: ConvolutionOptions) => ({
  strides: pairOf(stride),
  dilations: pairOf(dilation),
  padding,
});

/** Writes a network layer by layer; each call returns the id of the node it ends with. */
export class NetworkBuilder {
  readonly #nodes: Node[] = [];

  /** What goes into the network: images, normalised, unless it says otherwise. */
  input(shape: Shape, { id = "input", dtype = "float32" }: { id?: NodeId; dtype?: InputType } = {}): NodeId {
    return this.node({ kind: "input", id, shape, dtype });
  }

  /** Convolution: weight [rows, columns, in of a group, out]. */
  conv2d(
    id: string,
    input: NodeId,
    {
      inputs,
      outputs,
      groups = 1,
      bias = true,
      ...options
    }: LayerOptions & ConvolutionOptions & { readonly groups?: number },
  ): NodeId {
    const [rows, columns] = pairOf(options.kernel);
    const fanIn = (rows * columns * inputs) / groups;
    const weight = this.#weight(id, [rows, columns, inputs / groups, outputs], fanIn);
    const node = { kind: "conv2d", id, inputs: [input, weight], ...geometryOf(options), groups } as const;
    return this.#layer(node, { outputs, fanIn, bias });
  }

  /** Depthwise convolution: weight [rows, columns, 1, channels]. */
  depthwiseConv2d(
    id: string,
    input: NodeId,
    { channels, bias = true, ...options }: ConvolutionOptions & { readonly channels: number; readonly bias?: boolean },
  ): NodeId {
    const [rows, columns] = pairOf(options.kernel);
    const fanIn = rows * columns;
    const weight = this.#weight(id, [rows, columns, 1, channels], fanIn);
    const node = { kind: "depthwise-conv2d", id, inputs: [input, weight], ...geometryOf(options) } as const;
    return this.#layer(node, { outputs: channels, fanIn, bias });
  }

  /** Transposed convolution: weight [rows, columns, in, out]. */
  convTranspose(
    id: string,
    input: NodeId,
    {
      kernel,
      inputs,
      outputs,
      stride = 1,
      padding = noPadding,
      outputPadding = 0,
      bias = true,
    }: LayerOptions & Omit<ConvolutionOptions, "dilation"> & { readonly outputPadding?: Sides },
  ): NodeId {
    const [rows, columns] = pairOf(kernel);
    const fanIn = rows * columns * inputs;
    const weight = this.#weight(id, [rows, columns, inputs, outputs], fanIn);
    const geometry = { strides: pairOf(stride), padding, outputPadding: pairOf(outputPadding) };
    const node = { kind: "conv-transpose", id, inputs: [input, weight], ...geometry } as const;
    return this.#layer(node, { outputs, fanIn, bias });
  }

  /** Dense layer over the last axis: weight [in, out]. */
  dense(id: string, input: NodeId, { inputs, outputs, bias = true }: LayerOptions): NodeId {
    const weight = this.#weight(id, [inputs, outputs], inputs);
    return this.#layer({ kind: "dense", id, inputs: [input, weight] }, { outputs, fanIn: inputs, bias });
  }

  /** Rows of a table by the numbers of tokens: weight [vocabulary, units]. */
  embedding(id: string, tokens: NodeId, { vocabulary, units }: { vocabulary: number; units: number }): NodeId {
    // TensorFlow's default (Glorot and Bengio, 2010).
    const bound = Math.sqrt(6 / (vocabulary + units));
    const weight = this.#parameter(`${id}.weight`, "weight", [vocabulary, units], { kind: "uniform", bound });
    return this.node({ kind: "embedding", id, inputs: [tokens, weight] });
  }

  /** The mean over the tokens that are no padding. */
  maskedMean(id: string, tokens: NodeId, input: NodeId): NodeId {
    return this.node({ kind: "masked-mean", id, inputs: [tokens, input] });
  }

  batchNorm(id: string, input: NodeId, { channels }: { channels: number }): NodeId {
    const scale = this.#parameter(`${id}.scale`, "scale", [channels], { kind: "constant", value: 1 });
    const shift = this.#parameter(`${id}.shift`, "shift", [channels], { kind: "constant", value: 0 });
    return this.node({ kind: "batch-norm", id, inputs: [input, scale, shift], epsilon: EPSILON, frozen: false });
  }

  relu(id: string, input: NodeId, { limit = null }: { limit?: number | null } = {}): NodeId {
    return this.node({ kind: "relu", id, inputs: [input], limit });
  }

  nonlinear(id: string, input: NodeId, of: Nonlinearity): NodeId {
    return this.node({ kind: "nonlinear", id, inputs: [input], of });
  }

  maxPool(
    id: string,
    input: NodeId,
    { size, stride = size, padding = noPadding }: { size: Sides; stride?: Sides; padding?: Padding },
  ): NodeId {
    return this.node({ kind: "max-pool", id, inputs: [input], size: pairOf(size), strides: pairOf(stride), padding });
  }

  globalAveragePool(id: string, input: NodeId): NodeId {
    return this.node({ kind: "global-average-pool", id, inputs: [input] });
  }

  add(id: string, left: NodeId, right: NodeId): NodeId {
    return this.node({ kind: "add", id, inputs: [left, right] });
  }

  multiply(id: string, left: NodeId, right: NodeId): NodeId {
    return this.node({ kind: "multiply", id, inputs: [left, right] });
  }

  /** Tensors of one shape but for the last axis, side by side on it. */
  concat(id: string, inputs: readonly [NodeId, NodeId, ...NodeId[]]): NodeId {
    return this.node({ kind: "concat", id, inputs });
  }

  /** Channels of zeros before and after those of `input`. */
  padChannels(id: string, input: NodeId, channels: readonly [before: number, after: number]): NodeId {
    return this.node({ kind: "pad", id, inputs: [input], padding: noPadding, channels });
  }

  flatten(id: string, input: NodeId): NodeId {
    return this.node({ kind: "flatten", id, inputs: [input] });
  }

  /** Any node, of a kind that has no method here. */
  node(node: Node): NodeId {
    this.#nodes.push(node);
    return node.id;
  }

  build(description: Pick<Network, "name" | "outputs">): Network {
    return { ...description, nodes: this.#nodes };
  }

  #parameter(id: string, role: ParameterNode["role"], shape: Shape, initial: Initial): NodeId {
    return this.node({ kind: "parameter", id, role, shape, initial });
  }

  #weight(layer: string, shape: Shape, fanIn: number): NodeId {
    return this.#parameter(`${layer}.weight`, "weight", shape, { kind: "uniform", bound: 1 / Math.sqrt(fanIn) });
  }

  #layer(
    node: LayerNode,
    { outputs, fanIn, bias }: { readonly outputs: number; readonly fanIn: number; readonly bias: boolean },
  ): NodeId {
    this.node(node);
    if (!bias) return node.id;
    const initial = { kind: "uniform", bound: 1 / Math.sqrt(fanIn) } as const;
    const values = this.#parameter(`${node.id}.bias`, "bias", [outputs], initial);
    return this.node({ kind: "bias", id: `${node.id}.biased`, inputs: [node.id, values] });
  }
}
