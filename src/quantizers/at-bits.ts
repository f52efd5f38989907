import type { BitWidth } from "../quantization/levels.ts";
import type { Quantizer } from "./abstract-quantizer.ts";
import { FixedQuantizer } from "./fixed-quantizer.ts";
import { GridQuantizer } from "./grid-quantizer.ts";
import { setBits } from "./level-gates.ts";

/**
 * A quantizer as it would be at another bit-width, with its range and channels as they are; it shares their arrays. Null
 * of a weight that has been put on a grid: what it was before is gone.
 */
export function atBits(quantizer: Quantizer, bits: BitWidth): Quantizer | null {
  if (quantizer instanceof GridQuantizer) return null;
  const { node, phi, groups, prune, multiplies, range, floor, prior } = quantizer;
  const changed = new FixedQuantizer({ node, phi: phi.slice(), groups, prune, multiplies, range, floor, prior });
  setBits(changed, bits);
  return changed;
}
