import { inputsOf, type Network, type Node, type NodeId, nodesById, type Padding } from "../graph/graph.ts";
import { outputShapes } from "./shapes.ts";

/** What becomes of one channel of a node's output when pruning gates close. */
export const channelState = {
  /** Zero everywhere: it can be cut out. */
  zero: 0,
  /** The same number everywhere, what biases make of it: it can be cut out if its readers take that number over. */
  constant: 1,
  /** It stays. */
  kept: 2,
} as const;

const { zero, constant, kept } = channelState;

/** Channels by node: one `channelState` for each index of the last axis. */
export type ChannelStates = ReadonlyMap<NodeId, Uint8Array>;

/**
 * Follows pruned channels through the network. Tensors that are added share the union of their kept channels; a
 * channel that is a constant stays where zeros are put around it, because it would no longer be one. A channel whose
 * only readers are depthwise convolutions that have closed it goes too, whatever its own gate. Bit operations, sizes
 * and export all go by this.
 *
 * @param open The channels of a layer whose pruning gate is open; null: all.
 */
export function followChannels(network: Network, open: (layer: NodeId) => readonly number[] | null): ChannelStates {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const channelsOf = (id: NodeId) => shapes.get(id)!.at(-1)!;
  const gates = new Map<NodeId, Uint8Array | null>();
  const isOpen = (layer: NodeId, channel: number): boolean => {
    if (!gates.has(layer)) {
      const indices = open(layer);
      const flags = indices && new Uint8Array(channelsOf(layer));
      for (const index of indices ?? []) flags![index] = 1;
      gates.set(layer, flags);
    }
    return (gates.get(layer)?.[channel] ?? 1) === 1;
  };

  const used = usedChannels(network, channelsOf, isOpen);
  const required = new Map<NodeId, Set<number>>();
  let changed = false;
  /** Keeps a channel of a node, and of all that it comes from. */
  const require = (id: NodeId, channel: number): void => {
    const node = nodes.get(id)!;
    const channels = required.get(id) ?? new Set();
    if (channels.has(channel)) return;
    required.set(id, channels.add(channel));
    changed = true;
    const [input] = inputsOf(node);
    if (input === undefined || node.kind === "conv2d" || node.kind === "dense") return;
    if (node.kind === "add") for (const addend of node.inputs) require(addend, channel);
    else if (node.kind === "flatten") require(input, channel % channelsOf(input));
    else if (node.kind === "pad") {
      const before = channel - node.channels[0];
      if (before >= 0 && before < channelsOf(input)) require(input, before);
    } else require(input, channel);
  };

  const states = new Map<NodeId, Uint8Array>();
  const follow = (node: Node): Uint8Array => {
    const own = (channel: number) => required.get(node.id)?.has(channel) ?? false;
    const channels = Array.from({ length: channelsOf(node.id) }, (_, channel) => channel);
    const by = (state: (channel: number) => number) =>
      Uint8Array.from(channels, (channel) => (own(channel) ? kept : state(channel)));
    const input = states.get(inputsOf(node)[0] ?? "")!;
    const makes = (channel: number) => isOpen(node.id, channel) && used.get(node.id)![channel] === 1;
    const keepConstants = (padding: Padding, reads: (channel: number) => boolean = () => true) => {
      if (!Object.values(padding).some((size) => size > 0)) return;
      input.forEach((state, channel) => {
        if (state === constant && reads(channel)) require(inputsOf(node)[0]!, channel);
      });
    };
    switch (node.kind) {
      case "input":
        return by(() => kept);
      case "conv2d":
        keepConstants(node.padding);
        return by((channel) => (makes(channel) ? kept : zero));
      case "dense":
        return by((channel) => (makes(channel) ? kept : zero));
      case "depthwise-conv2d":
        keepConstants(node.padding, makes);
        return by((channel) => (makes(channel) ? input[channel]! : zero));
      case "bias":
      case "folded-norm": {
        const layer = node.inputs[0];
        return by((channel) => {
          if (input[channel] === kept) return kept;
          return node.gate !== null && !isOpen(layer, channel) ? zero : constant;
        });
      }
      case "batch-norm":
        return by((channel) => (input[channel] === kept ? kept : constant));
      case "add": {
        const [left, right] = node.inputs.map((id) => states.get(id)!) as [Uint8Array, Uint8Array];
        for (const channel of channels) {
          if (left[channel] === kept || right[channel] === kept) for (const id of node.inputs) require(id, channel);
        }
        return by((channel) => Math.max(left[channel]!, right[channel]!));
      }
      case "pad": {
        keepConstants(node.padding);
        const [before] = node.channels;
        return by((channel) => input[channel - before] ?? zero);
      }
      case "flatten":
        return by((channel) => input[channel % input.length]!);
      case "parameter":
      case "fold":
        return by(() => kept);
      case "quantizer":
      case "relu":
      case "max-pool":
      case "average-pool":
      case "global-average-pool":
        return by((channel) => input[channel]!);
    }
  };

  do {
    changed = false;
    for (const node of network.nodes) states.set(node.id, follow(node));
  } while (changed);
  return states;
}

/** By node, 1 for each channel that something behind it depends on. */
function usedChannels(
  network: Network,
  channelsOf: (id: NodeId) => number,
  isOpen: (layer: NodeId, channel: number) => boolean,
): ReadonlyMap<NodeId, Uint8Array> {
  const used = new Map(network.nodes.map(({ id }) => [id, new Uint8Array(channelsOf(id))]));
  used.get(network.output)!.fill(1);
  for (const node of network.nodes.toReversed()) {
    const own = used.get(node.id)!;
    // A folded normalization reads its layer's input for statistics alone: the layer says what it uses of it.
    for (const id of node.kind === "folded-norm" ? node.inputs.slice(0, 3) : inputsOf(node)) {
      const read = used.get(id)!;
      if (node.kind === "conv2d" || node.kind === "dense") read.fill(1);
      else if (node.kind === "depthwise-conv2d") {
        own.forEach((flag, channel) => {
          if (flag === 1 && isOpen(node.id, channel)) read[channel] = 1;
        });
      } else {
        const before = node.kind === "pad" ? node.channels[0] : 0;
        own.forEach((flag, channel) => {
          const from = node.kind === "flatten" ? channel % read.length : channel - before;
          if (flag === 1 && from >= 0 && from < read.length) read[from] = 1;
        });
      }
    }
  }
  return used;
}

/** Indices of the channels that stay. */
export const keptChannels = (states: Uint8Array): readonly number[] =>
  Array.from(states.keys()).filter((channel) => states[channel] === kept);
