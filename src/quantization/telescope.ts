import { type BitWidth, bitWidths, type PerGate } from "./levels.ts";

/**
 * One term of the telescoped quantizer x_q = z_2·Σ_b w_b·X_b, where X_b is plain b-bit quantization
 * (docs/method.md, "Quantizer"): the weight w_b and its derivatives by z_4, z_8, z_16, z_32.
 */
export interface Term {
  readonly bits: BitWidth;
  readonly weight: number;
  readonly derivatives: PerGate<number>;
}

/**
 * Terms for gate values z_4, z_8, z_16, z_32: w_2 = 1-z_4, w_4 = z_4(1-z_8) … w_32 = z_4 z_8 z_16 z_32. The weights
 * are non-negative and sum to 1; gates at 0 or 1 leave a single term with weight 1.
 */
export function telescope(gates: PerGate<number>): readonly Term[] {
  return bitWidths.map((bits, level) => {
    const factors = gates.map((gate, index) => (index < level ? gate : index === level ? 1 - gate : 1));
    const productWithout = (skipped: number) =>
      factors.reduce((product, factor, index) => (index === skipped ? product : product * factor), 1);
    const derivative = (index: number) => (index > level ? 0 : (index === level ? -1 : 1) * productWithout(index));
    return {
      bits,
      weight: productWithout(-1),
      derivatives: [derivative(0), derivative(1), derivative(2), derivative(3)],
    };
  });
}
