import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import type { ChannelPlace } from "../graph/node-kind.ts";
import { channelsOf } from "../graph/shape.ts";
import { inputsOf, nodesById } from "../graph/walk.ts";
import { isLayer, kindOf, type Network, type Node } from "../kinds/index.ts";
import { outputShapes } from "./output-shapes.ts";

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

/** The inputs of a node whose channels become those of its output. */
export function channelInputs(node: Node): readonly NodeId[] {
  const { inputs } = kindOf(node).channels;
  if (inputs === "none") return [];
  if (inputs === "last") return inputsOf(node).slice(-1);
  return inputs === "first" ? inputsOf(node).slice(0, 1) : inputsOf(node);
}

/**
 * Follows pruned channels through the network, whose outputs keep theirs. Tensors that are added share the union of their kept channels; a
 * channel that is a constant stays where zeros are put around it, because it would no longer be one. A channel whose
 * only readers are depthwise convolutions that have closed it goes too, whatever its own gate. Of each group of a grouped
 * convolution as many channels stay, in and out, as of the one that keeps most. Bit operations, sizes
 * and export all go by this. What each kind of node does to channels, it says itself (`ChannelFlow`).
 *
 * @param open The channels that a layer, or the factor of a bias or batch normalization, leaves open; null: all.
 */
export function followChannels(network: Network, open: (id: NodeId) => readonly number[] | null): ChannelStates {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const sizeOf = (id: NodeId) => channelsOf(lookup(shapes, id));
  const flags = new Map<NodeId, Uint8Array | null>();
  const isOpen = (id: NodeId, channel: number): boolean => {
    let known = flags.get(id);
    if (known === undefined) {
      const indices = open(id);
      known = indices && new Uint8Array(sizeOf(id));
      for (const index of indices ?? []) known![index] = 1;
      flags.set(id, known);
    }
    return known === null || known[channel] === 1;
  };
  const sizes = new Map(network.nodes.map((node) => [node.id, channelInputs(node).map(sizeOf)]));
  const sourcesOf = (node: Node, channel: number) =>
    kindOf(node).channels.sources(node, channel, lookup(sizes, node.id));

  const used = usedChannels(network, { sizeOf, isOpen, sourcesOf });
  const required = new Map<NodeId, Set<number>>();
  let changed = false;
  /** Keeps a channel of a node, and of all that it comes from. */
  const require = (id: NodeId, channel: number): void => {
    const channels = required.get(id) ?? new Set();
    if (channels.has(channel)) return;
    required.set(id, channels.add(channel));
    changed = true;
    const node = lookup(nodes, id);
    for (const place of sourcesOf(node, channel)) requirePlace(node, place);
  };
  const requirePlace = (node: Node, { input, channel }: ChannelPlace) => require(inputsOf(node)[input]!, channel);

  for (const output of network.outputs) {
    for (let channel = 0; channel < sizeOf(output); channel++) require(output, channel);
  }

  const states = new Map<NodeId, Uint8Array>();
  const follow = (node: Node): Uint8Array => {
    const { channels } = kindOf(node);
    const { inputs, mixes } = channels;
    const makes = (channel: number) =>
      !isLayer(node) || (isOpen(node.id, channel) && lookup(used, node.id)[channel] === 1);
    const stateOf = ({ input, channel }: ChannelPlace) => lookup(states, inputsOf(node)[input]!)[channel]!;
    const keepConstants = (places: readonly ChannelPlace[]) => {
      for (const place of places) if (stateOf(place) === constant) requirePlace(node, place);
    };
    if (channels.isWhole(node)) {
      for (const id of channelInputs(node)) for (let channel = 0; channel < sizeOf(id); channel++) require(id, channel);
    }
    const pads = channels.padsZeros(node);
    const groups = channels.groups(node);
    for (const read of groups > 1 ? channelInputs(node) : []) {
      for (const channel of missingInGroups(lookup(states, read), groups)) require(read, channel);
    }
    if (mixes && pads) {
      const [read] = channelInputs(node);
      keepConstants(Array.from({ length: sizeOf(read!) }, (_, channel) => ({ input: 0, channel })));
    }
    const state = (channel: number): number => {
      if (inputs === "none") return kept;
      if (!makes(channel)) return zero;
      if (mixes) return kept;
      const places = sourcesOf(node, channel);
      if (pads) keepConstants(places);
      const found = places.map(stateOf);
      const isProduct = inputs === "multiplied";
      const own = isProduct && found.includes(zero) ? zero : found.reduce((most, one) => Math.max(most, one), zero);
      // What is added up is cut out of all or of none; a factor is no constant where its product is none.
      if (own === kept && places.length > 1) for (const place of places) requirePlace(node, place);
      if (own === kept || !channels.shifts(node)) return own;
      return isOpen(node.id, channel) ? constant : zero;
    };
    const result = new Uint8Array(sizeOf(node.id));
    for (const channel of result.keys()) {
      const found = state(channel);
      result[channel] = required.get(node.id)?.has(channel) ? kept : found;
    }
    for (const channel of groups > 1 ? missingInGroups(result, groups) : []) require(node.id, channel);
    return result;
  };

  do {
    changed = false;
    for (const node of network.nodes) states.set(node.id, follow(node));
  } while (changed);
  return states;
}

/** The channels that have to stay so that each group keeps as many as the one that keeps most. */
function missingInGroups(states: Uint8Array, groups: number): readonly number[] {
  const size = states.length / groups;
  const closed = Array.from({ length: groups }, (_, group) =>
    Array.from({ length: size }, (_, place) => group * size + place).filter((channel) => states[channel] !== kept),
  );
  const fewest = Math.min(...closed.map(({ length }) => length));
  return closed.flatMap((channels) => channels.slice(fewest));
}

/** By node, 1 for each channel that something behind it depends on. */
function usedChannels(
  network: Network,
  {
    sizeOf,
    isOpen,
    sourcesOf,
  }: {
    readonly sizeOf: (id: NodeId) => number;
    readonly isOpen: (layer: NodeId, channel: number) => boolean;
    readonly sourcesOf: (node: Node, channel: number) => readonly ChannelPlace[];
  },
): ReadonlyMap<NodeId, Uint8Array> {
  const used = new Map(network.nodes.map(({ id }) => [id, new Uint8Array(sizeOf(id))]));
  for (const output of network.outputs) lookup(used, output).fill(1);
  for (const node of network.nodes.toReversed()) {
    if (kindOf(node).channels.mixes) {
      for (const id of channelInputs(node)) lookup(used, id).fill(1);
      continue;
    }
    for (const [channel, flag] of lookup(used, node.id).entries()) {
      if (flag === 0 || (isLayer(node) && !isOpen(node.id, channel))) continue;
      for (const place of sourcesOf(node, channel)) lookup(used, inputsOf(node)[place.input]!)[place.channel] = 1;
    }
  }
  return used;
}

/** Indices of the channels that stay. */
export const keptChannels = (states: Uint8Array): readonly number[] =>
  Array.from(states.keys()).filter((channel) => states[channel] === kept);
