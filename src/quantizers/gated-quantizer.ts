import { Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import { drawChannels, learnedChannels } from "./channel-gates.ts";
import { FixedQuantizer } from "./fixed-quantizer.ts";
import type { Draw, GateSample } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";
import { drawLevels, learnedLevels } from "./level-gates.ts";
import { learnedRange } from "./range.ts";

/** The quantizer of Bayesian Bits: gates decide its bit-width, and its channels where they can be pruned. */
export class GatedQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[];

  constructor(parts: QuantizerParts) {
    super(parts);
    const { phi, groups, prune, range, floor, node } = parts;
    this.learned = [
      learnedRange(range, { limit: node.limit, floor }),
      learnedLevels(phi, groups),
      ...(prune === null ? [] : [learnedChannels(prune)]),
    ];
  }

  sample(draw: Draw): GateSample {
    const channels = this.prune && drawChannels(this.prune, draw);
    return this.sampled(drawLevels(this.phi, draw), channels);
  }

  withFixedGates(): Quantizer {
    return new FixedQuantizer(this);
  }
}
