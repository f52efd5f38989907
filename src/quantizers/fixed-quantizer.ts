import { Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import type { GateSample } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";
import { learnedRange } from "./range.ts";

/** A quantizer whose bit-width and channels stand: given ones, or what gates had learned. Its range learns. */
export class FixedQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[];

  constructor(parts: QuantizerParts) {
    super(parts);
    this.learned = [learnedRange(parts.range, { limit: parts.node.limit, floor: parts.floor })];
  }

  sample(): GateSample {
    return this.atTestTime();
  }

  withFixedGates(): this {
    return this;
  }
}
