import { Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import { drawChannels, learnedChannels } from "./channel-gates.ts";
import { FixedQuantizer } from "./fixed-quantizer.ts";
import type { Draw, GateSample } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";
import { testTimeLevels } from "./level-gates.ts";
import { learnedRange } from "./range.ts";

/** A quantizer of a given bit-width whose pruning gates learn. */
export class PruningQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[];
  declare readonly prune: Float64Array;

  constructor(parts: QuantizerParts & { readonly prune: Float64Array }) {
    super(parts);
    this.learned = [
      learnedRange(parts.range, { limit: parts.node.limit, floor: parts.floor }),
      learnedChannels(parts.prune),
    ];
  }

  sample(draw: Draw): GateSample {
    return this.sampled(testTimeLevels(this.phi), drawChannels(this.prune, draw));
  }

  withFixedGates(): Quantizer {
    return new FixedQuantizer(this);
  }
}
