import type { NodeId } from "../graph/graph.ts";
import { readersOf } from "../graph/walk.ts";
import { kindOf, type Network } from "../kinds/index.ts";
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
  const wanted = new Map<NodeId, boolean>();
  /** Whether all channels of this node have to be there for something behind it. */
  const isWanted = (id: NodeId): boolean => {
    const known = wanted.get(id);
    if (known !== undefined) return known;
    const isRead = (readers.get(id) ?? []).some((reader) => {
      if (!channelInputs(reader).includes(id)) return false;
      const { channels } = kindOf(reader);
      return channels.isWhole(reader) || (!channels.mixes && isWanted(reader.id));
    });
    const found = isRead || network.outputs.includes(id);
    wanted.set(id, found);
    return found;
  };
  const gated = new Map<NodeId, readonly NodeId[]>();
  for (const { node, weightQuantizer, shift } of layersOf(network)) {
    if (weightQuantizer === null || isWanted(node.id)) continue;
    if (shift?.kind === "folded-norm") gated.set(weightQuantizer, [shift.id]);
    else if (shift?.kind === "bias" && mustBeZero(shift.id)) gated.set(weightQuantizer, [weightQuantizer, shift.id]);
    else gated.set(weightQuantizer, [weightQuantizer]);
  }
  return gated;
}
