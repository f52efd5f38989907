import type { RunConfig } from "../../config/schema.ts";
import { first, last } from "../../core/elements.ts";
import { UsageError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import { shorten, shortenList } from "../../core/shorten.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { layersOf } from "../../network/layers.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../quantizers/insert-quantizers.ts";
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
export function fixed({ batchNorm, quantizeAddends, weightRanges, ...bits }: Config): Method {
  return {
    prepare: (network) => insertQuantizers(network, { statistics: batchNorm, quantizeAddends }),
    quantizers(network) {
      const table = bitTable(network, bits, "method.tensors");
      return createQuantizers(network, {
        pruning: false,
        initial,
        prior: "const",
        weightRanges,
        bitsOf: ({ id }) => lookup(table, id),
      });
    },
    prior: noPrior,
    trainsWeights: true,
  };
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
