import type { RunConfig } from "../../config/schema.ts";
import { first, last } from "../../core/elements.ts";
import { UsageError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import { shorten, shortenList } from "../../core/shorten.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { layersOf } from "../../network/layers.ts";
import type { BitWidth, ChannelBits, GridBits } from "../../quantization/levels.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { gatedNodes } from "../../quantizers/gated-nodes.ts";
import { insertQuantizers, quantizeEmbeddings } from "../../quantizers/insert-quantizers.ts";
import { type Method, noPrior } from "../method.ts";

type Config = Extract<RunConfig["method"], { name: "fixed" }>;

/** Bit-widths as configurations give them. */
interface GivenBits<B extends GridBits> {
  readonly weights: B;
  readonly activations: B;
  readonly firstLayer?: B | undefined;
  readonly lastLayer?: B | undefined;
  readonly tensors: Readonly<Record<NodeId, B>>;
}

/** No channel is pruned and no level gate learns: what stands here is never looked at. */
const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };

/**
 * Given bit-widths with learned ranges: the gradient of a range is that of PACT (Choi et al., 2018) for what is clipped
 * and of LSQ (Esser et al., 2020) for what is rounded (docs/method.md, "Quantizer").
 */
export function fixed({ batchNorm, quantizeAddends, weightRanges, layers, ...bits }: Config): Method {
  return {
    prepare: (network) =>
      layers === "embeddings"
        ? quantizeEmbeddings(network)
        : insertQuantizers(network, { statistics: batchNorm, quantizeAddends }),
    quantizers(network) {
      const { tensors, ...widths } = bits;
      const [ofTensors, ofChannels] = splitTable(tensors);
      const table = bitTable<BitWidth>(network, { ...widths, tensors: ofTensors }, "method.tensors");
      const channels = channelTable(network, ofChannels);
      return createQuantizers(network, {
        pruning: false,
        initial,
        prior: "const",
        weightRanges,
        bitsOf: ({ id }) => channels.get(id) ?? lookup(table, id),
      });
    },
    prior: noPrior,
    trainsWeights: true,
  };
}

type Widths = Config["tensors"][string];

/** What is given for whole tensors, and what for their channels. */
function splitTable(tensors: Config["tensors"]) {
  const entries = Object.entries(tensors);
  const isList = (bits: Widths): bits is Extract<Widths, readonly unknown[]> => typeof bits === "object";
  return [
    Object.fromEntries(entries.flatMap(([id, bits]) => (isList(bits) ? [] : [[id, bits] as const]))),
    entries.flatMap(([id, bits]) => (isList(bits) ? [[id, bits] as const] : [])),
  ] as const;
}

/**
 * The bit-widths of output channels, by quantizer.
 *
 * @throws UsageError for what is no weight, where there are not as many as channels, and where none can be pruned.
 */
function channelTable(
  network: Network,
  given: readonly (readonly [NodeId, readonly ChannelBits[]])[],
): ReadonlyMap<NodeId, readonly ChannelBits[]> {
  const layers = layersOf(network);
  const prunable = gatedNodes(network);
  for (const [id, bits] of given) {
    const fail = (expected: string, got: string) =>
      new UsageError(`method.tensors.${shorten(id)}: expected ${expected}, got ${got}`);
    const layer = layers.find(({ weightQuantizer }) => weightQuantizer === id);
    if (layer === undefined) {
      const known = shortenList(layers.flatMap(({ weightQuantizer }) => weightQuantizer ?? [])).join(", ");
      throw fail(`one bit-width: only weights have some for each output channel (${known})`, `${bits.length}`);
    }
    const channels = last(layer.weightShape);
    if (bits.length !== channels) {
      throw fail(`${channels} bit-widths, one for each output channel of ${layer.name}`, `${bits.length}`);
    }
    if (bits.every((width) => width === 0)) throw fail("at least one channel that stays", "0 bits for all");
    if (bits.includes(0) && !prunable.has(id)) {
      throw fail(`2, 4, 8 or 16 bits for each channel of ${layer.name}, the network's outputs`, "0 among them");
    }
  }
  return new Map(given);
}

/**
 * The bit-width of every quantizer: of its kind, then what the first and the last layer have, then what is named.
 *
 * @param setting Names that in errors.
 * @throws UsageError when a name is not a quantizer's.
 */
export function bitTable<B extends GridBits>(
  network: Network,
  { weights, activations, firstLayer, lastLayer, tensors }: GivenBits<B>,
  setting: string,
): ReadonlyMap<NodeId, B> {
  const table = new Map<NodeId, B>();
  for (const node of network.nodes) {
    if (node.kind === "quantizer") table.set(node.id, node.role === "weight" ? weights : activations);
  }
  const layers = layersOf(network);
  const set = (id: NodeId | null, bits: B | undefined) => {
    if (id !== null && bits !== undefined) table.set(id, bits);
  };
  set(first(layers).weightQuantizer, firstLayer);
  set(last(layers).weightQuantizer, lastLayer);
  set(last(layers).inputQuantizer, lastLayer);
  for (const [id, bits] of Object.entries(tensors)) {
    if (!table.has(id)) {
      const known = shortenList([...table.keys()]).join(", ");
      throw new UsageError(`${setting}: ${shorten(id)} is no quantizer of ${network.name}; it has ${known}`);
    }
    table.set(id, bits);
  }
  return table;
}
