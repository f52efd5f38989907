import type { RunConfig } from "../../config/schema.ts";
import { lookup } from "../../core/lookup.ts";
import { channelsOf } from "../../graph/shape.ts";
import { layersOf } from "../../network/layers.ts";
import type { ChannelBits } from "../../quantization/levels.ts";
import { createQuantizers } from "../../quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../quantizers/insert-quantizers.ts";
import { type Method, noPrior } from "../method.ts";

type Config = Extract<RunConfig["method"], { name: "autoq" }>;

/** No channel is pruned and no level gate learns: what stands here is never looked at. */
const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };

/** What everything has before the search. */
const UNSEARCHED = 8;

const weightWidths = {
  powers: [0, 2, 4, 8],
  any: [0, 1, 2, 3, 4, 5, 6, 7, 8],
} as const;

/**
 * AutoQ (Lou et al., ICLR 2020) by kernels, HAQ (Wang et al., CVPR 2019) by layers: widths are searched for on the trained
 * network, set into its quantizers, and the network trains with them.
 */
export function autoq(config: Config): Method {
  const { level, groups, widths, objective, target, episodes, warmup, images } = config;
  const { batchNorm, quantizeAddends, weightRanges } = config;
  return {
    prepare: (network) => insertQuantizers(network, { statistics: batchNorm, quantizeAddends }),
    quantizers(network) {
      const byKernel = level === "kernel";
      const channels = new Map(
        layersOf(network).map((layer) => [layer.weightQuantizer, channelsOf(layer.weightShape)]),
      );
      return createQuantizers(network, {
        ...{ pruning: byKernel, initial, prior: "const", weightRanges },
        bitsOf: ({ id, role }) =>
          byKernel && role === "weight" ? new Array<ChannelBits>(lookup(channels, id)).fill(UNSEARCHED) : UNSEARCHED,
      });
    },
    prior: noPrior,
    trainsWeights: true,
    search: {
      ...{ level, groups, episodes, warmup, images, quantizeAddends },
      weightWidths: weightWidths[widths],
      activationWidths: [2, 4, 8],
      objective:
        objective === "constrained"
          ? { name: "resource-constrained" }
          : { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 },
      // Without a budget bit operations count.
      target: target ?? { relativeBops: 100 },
    },
  };
}
