import type { BitWidth } from "../quantization/levels.ts";
import type { Ops, Tensor } from "./ops.ts";

type Primitives = Pick<Ops, "quantize" | "rangeMask" | "multiply" | "sum" | "dot" | "scalar" | "tensor" | "release">;

/** The gated quantizer made of simpler operations, for engines that have no kernel of its own for it. */
export function composedQuantizer(ops: Primitives): Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> {
  const inner = (a: Tensor, b: Tensor): number => {
    const product = ops.dot(a, b);
    const value = ops.scalar(product);
    ops.release(product);
    return value;
  };
  const gatedQuantize: Ops["gatedQuantize"] = (x, { terms, signed, xMax }) => {
    const weighted = terms.map(({ bits, weight }) => {
      const onGrid = ops.quantize(x, { bits, signed, xMax });
      if (weight === 1) return onGrid;
      const term = ops.multiply(onGrid, ops.tensor(Float32Array.of(weight), []));
      ops.release(onGrid);
      return term;
    });
    if (weighted.length === 1) return weighted[0]!;
    const sum = ops.sum(weighted);
    for (const term of weighted) ops.release(term);
    return sum;
  };
  return {
    gatedQuantize,
    gatedQuantizeGradient(x, gradient, { terms, wanted, signed, xMax }) {
      const output = gatedQuantize(x, { terms, signed, xMax });
      const byX = ops.rangeMask(x, gradient, { signed, xMax });
      const range = inner(gradient, output) - inner(byX, x);
      ops.release(output);
      const levels = new Map<BitWidth, number>();
      for (const bits of wanted) {
        const onGrid = ops.quantize(x, { bits, signed, xMax });
        levels.set(bits, inner(gradient, onGrid));
        ops.release(onGrid);
      }
      return { gradient: byX, range, levels };
    },
  };
}
