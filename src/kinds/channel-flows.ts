import type { AnyNode } from "../graph/graph.ts";
import type { ChannelFlow } from "../graph/node-kind.ts";

const never = () => false;
const nothing = () => [];
const one = () => 1;

/** Channels that come from no other node: of what goes into a network, of weights. */
export const ownChannels: ChannelFlow<AnyNode> = {
  inputs: "none",
  mixes: false,
  groups: one,
  sources: nothing,
  padsZeros: never,
  shifts: never,
  isWhole: never,
};

/** Each channel is made of the same one of the first input. */
export const sameChannels: ChannelFlow<AnyNode> = {
  inputs: "first",
  mixes: false,
  groups: one,
  sources: (_, channel) => [{ input: 0, channel }],
  padsZeros: never,
  shifts: never,
  isWhole: never,
};

/** Each channel is made of all of the first input. */
export const mixedChannels: ChannelFlow<AnyNode> = { ...sameChannels, mixes: true, sources: nothing };

/** Each channel is made of all of the first input, none of which may be missing. */
export const wholeChannels: ChannelFlow<AnyNode> = { ...mixedChannels, isWhole: () => true };
