import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { channelsOf } from "../graph/shape.ts";
import type { Network } from "../kinds/index.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/output-shapes.ts";
import { productsOf } from "../network/products.ts";
import { type BitWidth, bitWidths, type ChannelBits } from "../quantization/levels.ts";
import { groupSize, type WidthGranularity } from "../quantization/width-granularity.ts";
import type { Quantizer, QuantizerParts } from "./abstract-quantizer.ts";
import { setKept } from "./channel-gates.ts";
import { ChannelGroups } from "./channel-groups.ts";
import { FixedQuantizer } from "./fixed-quantizer.ts";
import { gatedNodes } from "./gated-nodes.ts";
import { GatedQuantizer } from "./gated-quantizer.ts";
import { setBits, setGroupBits } from "./level-gates.ts";
import { PruningQuantizer } from "./pruning-quantizer.ts";
import { rangeFloor } from "./range.ts";

/** Initial parameters of the gates. */
export interface InitialGates {
  readonly prune: number;
  readonly bits4: number;
  readonly bits8: number;
  readonly bits16: number;
  readonly bits32: number;
}

export interface CreateQuantizersOptions {
  /** Whether output channels can be pruned. */
  readonly pruning: boolean;
  readonly initial: InitialGates;
  readonly prior: "const" | "bop";
  /** Whether every output channel of a weight has a range of its own. */
  readonly weightRanges?: "per-tensor" | "per-channel";
  /** What has level gates of its own: a weight, each output channel of it, or so many neighbouring ones. */
  readonly granularity?: WidthGranularity;
  /** The bit-width of a quantizer whose level gates do not learn, or those of its output channels, which stand, too. */
  readonly bitsOf?: (node: QuantizerNode) => BitWidth | readonly ChannelBits[];
}

/**
 * By quantizer, the MACs of the layers and products of activations that it serves: its own layer for a weight, all that
 * read it for an activation.
 */
function servedMacs(network: Network): { readonly of: (id: NodeId) => number; readonly largest: number } {
  const served = [
    ...layersOf(network).map(({ macs, weightQuantizer, inputQuantizer }) => ({
      macs,
      quantizers: [weightQuantizer, inputQuantizer],
    })),
    ...productsOf(network),
  ];
  return {
    of: (id) => served.reduce((sum, { macs, quantizers }) => sum + (quantizers.includes(id) ? macs : 0), 0),
    largest: Math.max(...served.map(({ macs }) => macs)),
  };
}

/** The quantizers of a network with their gates at the start; an activation's MACs are its consumers' sum. */
export function createQuantizers(
  network: Network,
  { pruning, initial, prior, weightRanges, granularity = "tensor", bitsOf }: CreateQuantizersOptions,
): Map<NodeId, Quantizer> {
  const shapes = outputShapes(network);
  const macs = servedMacs(network);
  const quantizers = network.nodes.filter((node) => node.kind === "quantizer");
  const bits = new Map(quantizers.map((node) => [node.id, bitsOf?.(node)]));
  const prunes = (id: NodeId): boolean => {
    const given = bits.get(id);
    return pruning || (typeof given === "object" && given.includes(0));
  };
  const gated = new Map(Array.from(gatedNodes(network)).filter(([id]) => prunes(id)));
  return new Map(
    quantizers.map((node) => {
      const channels = channelsOf(lookup(shapes, node.id));
      const given = bits.get(node.id);
      const size = typeof given === "object" ? 1 : node.role === "weight" ? groupSize(granularity, channels) : channels;
      const groups = new ChannelGroups(channels, size);
      const ofLevels = [initial.bits4, initial.bits8, initial.bits16, initial.bits32];
      const parts = {
        node,
        groups,
        phi: Float64Array.from(ofLevels.flatMap((phi) => new Array<number>(groups.count).fill(phi))),
        multiplies: gated.get(node.id) ?? [],
        prune: gated.has(node.id) ? new Float64Array(channels).fill(initial.prune) : null,
        range: new Float64Array(weightRanges === "per-channel" && node.role === "weight" ? channels : 1).fill(1),
        floor: Float64Array.of(rangeFloor),
        prior: { kind: prior, macShare: macs.of(node.id) / macs.largest },
      };
      if (given === undefined) return [node.id, new GatedQuantizer(parts)];
      return [node.id, typeof given === "object" ? withGivenChannels(parts, given) : withGivenBits(parts, given)];
    }),
  );
}

function withGivenBits(parts: QuantizerParts, bits: BitWidth): Quantizer {
  setBits(parts, bits);
  const { prune } = parts;
  return prune === null ? new FixedQuantizer(parts) : new PruningQuantizer({ ...parts, prune });
}

function withGivenChannels(parts: QuantizerParts, bits: readonly ChannelBits[]): Quantizer {
  setGroupBits(
    parts,
    bits.map((width) => width || bitWidths[0]),
  );
  if (parts.prune !== null) setKept(parts.prune, (channel) => bits[channel] !== 0);
  return new FixedQuantizer(parts);
}
