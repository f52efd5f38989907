import type { NodeId } from "../graph/graph.ts";
import { readersOf } from "../graph/walk.ts";
import { kindOf, type Network, type Node } from "../kinds/index.ts";
import { channelInputs } from "../network/channels.ts";
import { layersOf } from "../network/layers.ts";

/**
 * By weight quantizer: the nodes whose results its pruning gates multiply. That is the weight itself, or what is left of
 * a batch normalization that is folded into it; and a bias where a pruned channel must be zero to be cut out: where it
 * reaches a convolution that pads with zeros, or a residual sum. Elsewhere a pruned channel stays the constant that the
 * authors' networks have, which the next layer's bias takes over (docs/method.md, "Pruning"). No layer is pruned whose
 * channels reach something that needs them all: the network's outputs, a layer normalization, a softmax, or where they come
 * into another place.
 */
export function gatedNodes(network: Network): ReadonlyMap<NodeId, readonly NodeId[]> {
  const readers = readersOf(network);
  /** Whether a channel of this node that is a constant meets something that makes it none. */
  const mustBeZero = (id: NodeId): boolean =>
    (readers.get(id) ?? []).some((reader) => {
      if (!channelInputs(reader).includes(id)) return false;
      const { channels } = kindOf(reader);
      const meetsOthers = channels.inputs === "added" || channels.inputs === "multiplied";
      if (channels.padsZeros(reader) || meetsOthers) return true;
      return !channels.mixes && mustBeZero(reader.id);
    });
  const whole = wholeChannels(network);
  const gated = new Map<NodeId, readonly NodeId[]>();
  for (const { node, weightQuantizer, shift } of layersOf(network)) {
    if (weightQuantizer === null || whole(node.id) !== null) continue;
    if (shift?.kind === "folded-norm") gated.set(weightQuantizer, [shift.id]);
    else if (shift?.kind === "bias" && mustBeZero(shift.id)) gated.set(weightQuantizer, [weightQuantizer, shift.id]);
    else gated.set(weightQuantizer, [weightQuantizer]);
  }
  return gated;
}

/** By weight quantizer, for each that has no gates: why all output channels of its layer stay. */
export function keptWhole(network: Network): ReadonlyMap<NodeId, string> {
  const whole = wholeChannels(network);
  return new Map(
    layersOf(network).flatMap(({ node, weightQuantizer }) => {
      const why = weightQuantizer === null ? null : whole(node.id);
      return weightQuantizer === null || why === null ? [] : [[weightQuantizer, why] as const];
    }),
  );
}

/** Why all channels of a node have to be there for something behind it; null: they need not. */
function wholeChannels(network: Network): (id: NodeId) => string | null {
  const readers = readersOf(network);
  const known = new Map<NodeId, string | null>();
  const neededBy = (reader: Node): string | null => {
    const { channels } = kindOf(reader);
    if (channels.isWhole(reader)) return `${reader.id} (${reader.kind}) needs them all, in their places`;
    return channels.mixes ? null : whole(reader.id);
  };
  const found = (id: NodeId): string | null => {
    if (network.outputs.includes(id)) return "they are the network’s outputs";
    const reading = (readers.get(id) ?? []).filter((reader) => channelInputs(reader).includes(id));
    return reading.reduce<string | null>((why, reader) => why ?? neededBy(reader), null);
  };
  const whole = (id: NodeId): string | null => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const why = found(id);
    known.set(id, why);
    return why;
  };
  return whole;
}
