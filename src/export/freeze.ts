import { UserError } from "../base/errors.ts";
import type { GatedQuantizer } from "../methods/gated-quantizer.ts";
import { inputsOf, type Network, type Node, type NodeId, type QuantizerNode } from "../network/graph.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { elementsOf } from "../network/shape.ts";
import { outputShapes } from "../network/shapes.ts";
import { codeLimits, encode, roundHalfEven, stepSize } from "../quantization/grid.ts";
import { clipFactor } from "../quantization/levels.ts";
import type { FrozenNetwork, FrozenNode, FrozenQuantizer, FrozenTensor } from "./frozen-network.ts";

export interface FreezeInput {
  readonly network: Network;
  readonly quantizers: ReadonlyMap<NodeId, GatedQuantizer>;
  /** Values of the trained tensors. */
  readonly parameters: ReadonlyMap<NodeId, Float32Array>;
  readonly classes: readonly string[];
  readonly normalization: FrozenNetwork["normalization"];
}

/** Which channels of an activation are left, and what the others are: a pruned channel is a constant, its bias. */
interface Channels {
  readonly kept: readonly number[];
  readonly constants: ReadonlyMap<number, number>;
}

/**
 * Freezes a trained network: gates at their test-time values, weights as integer codes, pruned channels cut out. A
 * pruned channel still carries its bias through ReLU and quantizer, the same number at every position; that constant
 * times the next layer's weights goes into the next layer's bias, so that cutting changes nothing.
 *
 * @throws UserError when a layer has lost all its channels.
 */
export function freeze({ network, quantizers, parameters, classes, normalization }: FreezeInput): FrozenNetwork {
  const layers = new Map(layersOf(network).map((layer) => [layer.name, layer]));
  const shapes = outputShapes(network);
  const channels = new Map<NodeId, Channels>();
  /** The frozen node that a node of the graph has become. */
  const becomes = new Map<NodeId, string>();
  const nodes: FrozenNode[] = [];
  const add = (node: Node, frozen: FrozenNode, left: Channels) => {
    nodes.push(frozen);
    becomes.set(node.id, frozen.id);
    channels.set(node.id, left);
  };

  for (const node of network.nodes) {
    const source = inputsOf(node)[0] ?? "";
    const from = becomes.get(source) ?? "";
    const left = channels.get(source);
    const shape = shapes.get(node.id)!;
    switch (node.kind) {
      case "input":
        add(node, { kind: "input", id: node.id, input: "", outputShape: shape }, allOf(shape));
        break;
      case "conv2d":
      case "dense": {
        const { frozen, outputs } = freezeLayer(layers.get(node.id)!, left!, from, { quantizers, parameters, shape });
        add(node, frozen, outputs);
        break;
      }
      case "bias":
        // Part of its layer.
        becomes.set(node.id, from);
        channels.set(node.id, left!);
        break;
      case "quantizer": {
        if (node.role === "weight") break;
        const quantizer = freezeQuantizer(node, quantizers.get(node.id)!, from, cut(shape, left!));
        add(
          node,
          quantizer,
          mapConstants(left!, (value) => quantized(value, quantizer)),
        );
        break;
      }
      case "relu": {
        const kept = mapConstants(left!, (value) => Math.max(0, value));
        add(node, { kind: "relu", id: node.id, input: from, outputShape: cut(shape, left!) }, kept);
        break;
      }
      case "max-pool": {
        const { size, stride } = node;
        add(node, { kind: "max-pool", id: node.id, input: from, size, stride, outputShape: cut(shape, left!) }, left!);
        break;
      }
      case "flatten": {
        const flat = flattened(left!, shapes.get(source)!);
        add(node, { kind: "flatten", id: node.id, input: from, outputShape: [flat.kept.length] }, flat);
        break;
      }
      case "parameter":
        break;
      default:
        throw new UserError(`cannot export ${node.id}: a node of kind ${node.kind}`);
    }
  }
  return { name: network.name, nodes, output: becomes.get(network.output)!, classes, normalization };
}

const allOf = (shape: readonly number[]): Channels => ({
  kept: Array.from({ length: shape.at(-1)! }, (_, index) => index),
  constants: new Map(),
});

const cut = (shape: readonly number[], { kept }: Channels): number[] => [...shape.slice(0, -1), kept.length];

const mapConstants = ({ kept, constants }: Channels, map: (value: number) => number): Channels => ({
  kept,
  constants: new Map(Array.from(constants, ([channel, value]) => [channel, map(value)])),
});

/** Channels of [height, width, channels] as units of the flattened row, channels fastest. */
function flattened({ kept, constants }: Channels, shape: readonly number[]): Channels {
  const channels = shape.at(-1)!;
  const positions = Array.from({ length: elementsOf(shape) / channels }, (_, position) => position * channels);
  return {
    kept: positions.flatMap((start) => kept.map((channel) => start + channel)),
    constants: new Map(
      positions.flatMap((start) => Array.from(constants, ([channel, value]) => [start + channel, value] as const)),
    ),
  };
}

function freezeLayer(
  layer: Layer,
  left: Channels,
  input: string,
  context: Pick<FreezeInput, "quantizers" | "parameters"> & { readonly shape: readonly number[] },
): { readonly frozen: FrozenNode; readonly outputs: Channels } {
  const { node, name, weightShape } = layer;
  const outputs = weightShape.at(-1)!;
  const inputs = weightShape.at(-2)!;
  const quantizer = layer.weightQuantizer === null ? null : context.quantizers.get(layer.weightQuantizer)!;
  const kept = quantizer?.kept ?? Array.from({ length: outputs }, (_, channel) => channel);
  if (kept.length === 0) {
    throw new UserError(
      `cannot export ${name}: all its ${outputs} channels are pruned; train with a smaller prior strength`,
    );
  }
  const weights = encodeWeight(context.parameters.get(layer.weight)!, quantizer);
  const bias = Float64Array.from(
    layer.shift === null ? new Float64Array(outputs) : context.parameters.get(layer.shift.inputs[1])!,
  );
  const padding = node.kind === "conv2d" ? node.padding : { top: 0, bottom: 0, left: 0, right: 0 };
  if (
    Object.values(padding).some((rows) => rows > 0) &&
    Array.from(left.constants.values()).some((value) => value !== 0)
  ) {
    throw new UserError(`cannot export ${name}: a pruned input channel is not zero and the layer pads with zeros`);
  }
  const alive = new Set(kept);
  const taps = weights.values.length / (inputs * outputs);
  for (let tap = 0; tap < taps; tap++) {
    for (const [channel, value] of left.constants) {
      for (let output = 0; output < outputs; output++) {
        // A pruned output has no weights left: it is its own bias.
        if (alive.has(output)) bias[output]! += weights.values[(tap * inputs + channel) * outputs + output]! * value;
      }
    }
  }
  const shape = [...weightShape.slice(0, -2), left.kept.length, kept.length];
  const indices: number[] = [];
  for (let tap = 0; tap < taps; tap++) {
    for (const channel of left.kept)
      for (const output of kept) indices.push((tap * inputs + channel) * outputs + output);
  }
  if (layer.kind === "depthwise-conv2d") throw new UserError(`cannot export ${name}: a depthwise convolution`);
  const frozen: FrozenNode = {
    kind: layer.kind,
    id: name,
    input,
    outputShape: [...context.shape.slice(0, -1), kept.length],
    weight: weights.select(indices, shape),
    bias: Float32Array.from(kept, (output) => bias[output]!),
    stride: node.kind === "conv2d" ? node.stride : 1,
    padding,
    keptOutputs: kept,
    unprunedOutputs: outputs,
  };
  const pruned = Array.from(bias, (value, output) => [output, Math.fround(value)] as const).filter(
    ([output]) => !alive.has(output),
  );
  return { frozen, outputs: { kept, constants: new Map(pruned) } };
}

/** A weight on its grid: its values, and a way to cut elements out of it. */
function encodeWeight(
  values: Float32Array,
  quantizer: GatedQuantizer | null,
): {
  readonly values: ArrayLike<number>;
  readonly select: (indices: readonly number[], shape: readonly number[]) => FrozenTensor;
} {
  const bits = quantizer?.bits ?? 32;
  if (bits === 32) {
    const limit = quantizer === null ? Number.POSITIVE_INFINITY : Math.fround(quantizer.xMax * clipFactor);
    const clipped = values.map((value) => Math.min(limit, Math.max(-limit, value)));
    return {
      values: clipped,
      select: (indices, shape) => ({ bits, shape, values: Float32Array.from(indices, (index) => clipped[index]!) }),
    };
  }
  const range = { xMax: quantizer!.xMax, signed: true };
  const scale = Math.fround(stepSize(bits, range));
  const codes = encode(values, bits, range);
  return {
    values: Float64Array.from(codes, (code) => code * scale),
    select: (indices, shape) => ({ bits, scale, shape, codes: Int32Array.from(indices, (index) => codes[index]!) }),
  };
}

const freezeQuantizer = (
  { id, signed }: QuantizerNode,
  { bits, xMax }: GatedQuantizer,
  input: string,
  outputShape: readonly number[],
): FrozenQuantizer => ({ kind: "quantizer", id, input, outputShape, bits, signed, xMax });

/** What an activation quantizer makes of one number. */
function quantized(value: number, { bits, signed, xMax }: FrozenQuantizer): number {
  if (bits === 32) return Math.min(xMax * clipFactor, Math.max(signed ? -xMax * clipFactor : 0, value));
  const step = stepSize(bits, { xMax, signed });
  const [lowest, highest] = codeLimits(bits, signed);
  return Math.min(highest, Math.max(lowest, roundHalfEven(value / step))) * step;
}
