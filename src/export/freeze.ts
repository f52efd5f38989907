import { UserError } from "../core/errors.ts";
import { inputsOf, type Network, type Node, type NodeId, type QuantizerNode } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import { inverseDeviation } from "../kinds/batch-norm.ts";
import { learnedChannels } from "../methods/bit-accounting.ts";
import { keptChannels } from "../network/channels.ts";
import { layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/shapes.ts";
import { codeLimits, roundHalfEven, stepSize } from "../quantization/grid.ts";
import { clipFactor } from "../quantization/levels.ts";
import type { GatedQuantizer } from "../quantizers/gated-quantizer.ts";
import { freezeLayer } from "./freeze-layer.ts";
import type { FrozenAffine, FrozenNetwork, FrozenNode, FrozenQuantizer } from "./frozen-network.ts";

export interface FreezeInput {
  readonly network: Network;
  /** Empty for a network in float32. */
  readonly quantizers: ReadonlyMap<NodeId, GatedQuantizer>;
  /** Values of the trained tensors. */
  readonly parameters: ReadonlyMap<NodeId, Float32Array>;
  /** Running statistics by batch normalization. */
  readonly statistics: ReadonlyMap<NodeId, RunningStatistics>;
  readonly classes: readonly string[];
  readonly normalization: FrozenNetwork["normalization"];
}

/** One activation: which channels are left, and the number that each of the others is at every position. */
interface Activation {
  readonly kept: readonly number[];
  /** By channel; only those that are cut out count. */
  readonly constants: Float64Array;
  /** The frozen node that gives it. */
  readonly node: string;
}

/**
 * Freezes a trained network: gates at their test-time values, weights as integer codes, batch normalization with its
 * running statistics in weights and biases, pruned channels cut out. A pruned channel still carries its bias through
 * ReLU and quantizer, the same number at every position; that constant times the next layer's weights goes into the
 * next layer's bias, so that cutting changes nothing. Which channels stay, `followChannels` says.
 *
 * @throws UserError when a layer has lost all its channels.
 */
export function freeze(input: FreezeInput): FrozenNetwork {
  const { network, quantizers, classes, normalization } = input;
  const layers = new Map(layersOf(network).map((layer) => [layer.name, layer]));
  const shapes = outputShapes(network);
  const states = learnedChannels(network, quantizers);
  const activations = new Map<NodeId, Activation>();
  const nodes: FrozenNode[] = [];

  for (const node of network.nodes) {
    if (node.kind === "parameter" || node.kind === "fold") continue;
    if (node.kind === "quantizer" && node.role === "weight") continue;
    const sources = inputsOf(node).flatMap((id) => activations.get(id) ?? []);
    const shape = shapes.get(node.id)!;
    const kept = keptChannels(states.get(node.id)!);
    const base = {
      id: node.id,
      inputs: sources.map((source) => source.node),
      outputShape: node.kind === "flatten" ? [kept.length] : [...shape.slice(0, -1), kept.length],
    };
    /** Adds what the node has become, with what it makes of the channels that are cut out. */
    const add = (frozen: FrozenNode, constants: Float64Array) => {
      nodes.push(frozen);
      activations.set(node.id, { kept, constants, node: frozen.id });
    };
    /** What a depthwise convolution reads: of the channels that are left, those that it keeps itself. */
    const selected = (from: Activation, image: readonly number[]): string => {
      if (kept.length === from.kept.length) return from.node;
      const id = `${node.id}.channels`;
      const channels = kept.map((channel) => from.kept.indexOf(channel));
      nodes.push({
        kind: "select",
        id,
        inputs: [from.node],
        outputShape: [...image.slice(0, -1), kept.length],
        channels,
      });
      return id;
    };
    const [source] = sources;
    const constants = source?.constants ?? new Float64Array();
    switch (node.kind) {
      case "input":
        add({ ...base, kind: "input" }, new Float64Array(shape.at(-1)!));
        break;
      case "conv2d":
      case "depthwise-conv2d":
      case "dense": {
        if (kept.length === 0) throw withoutChannels(node.id, shape.at(-1)!);
        const layer = layers.get(node.id)!;
        const frozen = freezeLayer(layer, { ...input, keptInputs: source!.kept, kept, constants });
        const inputs =
          node.kind === "depthwise-conv2d" ? [selected(source!, shapes.get(node.inputs[0])!)] : base.inputs;
        add({ ...base, inputs, kind: node.kind, ...frozen.parts }, frozen.constants);
        break;
      }
      case "bias":
      case "folded-norm":
        // Part of its layer.
        activations.set(node.id, source!);
        break;
      case "batch-norm": {
        if (layers.get(node.inputs[0])?.weightQuantizer === null) {
          activations.set(node.id, source!);
          break;
        }
        const affine = affineOf(node, input);
        const { scale, shift } = affine;
        const frozen = { scale: pick(scale, kept), shift: pick(shift, kept) };
        const value = (x: number, channel: number) => x * scale[channel]! + shift[channel]!;
        add({ ...base, kind: "affine", ...frozen }, constants.map(value));
        break;
      }
      case "quantizer": {
        const frozen = freezeQuantizer(node, quantizers.get(node.id)!, { ...base, kept, channels: shape.at(-1)! });
        add(
          frozen,
          constants.map((value) => quantized(value, frozen)),
        );
        break;
      }
      case "relu": {
        const highest = node.limit ?? Number.POSITIVE_INFINITY;
        const value = (x: number) => Math.min(highest, Math.max(0, x));
        add({ ...base, kind: "relu", limit: node.limit }, constants.map(value));
        break;
      }
      case "max-pool":
      case "average-pool": {
        const { kind, size, stride } = node;
        const padding = kind === "max-pool" ? node.padding : { top: 0, bottom: 0, left: 0, right: 0 };
        add({ ...base, kind, size, stride, padding }, constants);
        break;
      }
      case "global-average-pool":
        add({ ...base, kind: node.kind }, constants);
        break;
      case "add": {
        const other = sources[1]!.constants;
        add(
          { ...base, kind: "add" },
          constants.map((value, channel) => value + other[channel]!),
        );
        break;
      }
      case "pad": {
        const [before] = node.channels;
        const last = before + constants.length;
        const added = [kept.filter((one) => one < before).length, kept.filter((one) => one >= last).length] as const;
        const padded = new Float64Array(shape.at(-1)!);
        padded.set(constants, before);
        add({ ...base, kind: "pad", padding: node.padding, channels: added }, padded);
        break;
      }
      case "flatten":
        add(
          { ...base, kind: "flatten" },
          new Float64Array(shape[0]!).map((_, index) => constants[index % constants.length]!),
        );
        break;
    }
  }
  return { name: network.name, nodes, output: activations.get(network.output)!.node, classes, normalization };
}

const withoutChannels = (layer: string, channels: number) =>
  new UserError(`cannot export ${layer}: all its ${channels} channels are pruned; train with a smaller prior strength`);

const pick = (values: Float32Array, indices: readonly number[]): Float32Array =>
  Float32Array.from(indices, (index) => values[index]!);

/** A batch normalization with its running statistics as x·scale + shift. */
function affineOf(
  node: Extract<Node, { kind: "batch-norm" }>,
  { parameters, statistics }: Pick<FreezeInput, "parameters" | "statistics">,
): Pick<FrozenAffine, "scale" | "shift"> {
  const running = statistics.get(node.id)!;
  const inverse = inverseDeviation(running, node.epsilon);
  const scale = parameters.get(node.inputs[1])!.map((gamma, channel) => gamma * inverse[channel]!);
  const shift = parameters
    .get(node.inputs[2])!
    .map((beta, channel) => beta - Math.fround(scale[channel]! * running.mean[channel]!));
  return { scale, shift };
}

const freezeQuantizer = (
  { signed }: QuantizerNode,
  { bits, xMax }: GatedQuantizer,
  base: Pick<FrozenQuantizer, "id" | "inputs" | "outputShape" | "kept" | "channels">,
  // Only weights are put on grids of 3 bits.
): FrozenQuantizer => ({ ...base, kind: "quantizer", bits: bits as FrozenQuantizer["bits"], signed, xMax });

/** What an activation quantizer makes of one number. */
function quantized(value: number, { bits, signed, xMax }: FrozenQuantizer): number {
  if (bits === 32) return Math.min(xMax * clipFactor, Math.max(signed ? -xMax * clipFactor : 0, value));
  const step = stepSize(bits, { xMax, signed });
  const [lowest, highest] = codeLimits(bits, signed);
  return Math.min(highest, Math.max(lowest, roundHalfEven(value / step))) * step;
}
