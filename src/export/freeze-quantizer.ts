import { last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { codeLimits, roundHalfEven, stepSize } from "../quantization/grid.ts";
import { clipFactor } from "../quantization/levels.ts";
import type { FreezePlace } from "./freeze-place.ts";
import type { FrozenQuantizer } from "./frozen-network.ts";

/** The quantizer of an activation at its test-time bits. */
export function freezeQuantizer({ id, signed }: QuantizerNode, place: FreezePlace): FrozenQuantizer {
  const { base, kept, shape, trained } = place;
  const { bits, xMax } = lookup(trained.quantizers, id);
  // Only weights are put on grids of 3 bits.
  return {
    ...base,
    kind: "quantizer",
    bits: bits as FrozenQuantizer["bits"],
    signed,
    xMax,
    kept,
    channels: last(shape),
  };
}

/** What an activation quantizer makes of one number. */
export function quantized(value: number, { bits, signed, xMax }: FrozenQuantizer): number {
  if (bits === 32) return Math.min(xMax * clipFactor, Math.max(signed ? -xMax * clipFactor : 0, value));
  const step = stepSize(bits, { xMax, signed });
  const [lowest, highest] = codeLimits(bits, signed);
  return Math.min(highest, Math.max(lowest, roundHalfEven(value / step))) * step;
}
