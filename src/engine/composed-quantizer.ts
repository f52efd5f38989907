import { first } from "../core/elements.ts";
import type { BitWidth } from "../quantization/levels.ts";
import type { Ops, Tensor } from "./ops.ts";

type Primitives = Pick<
  Ops,
  "quantize" | "rangeMask" | "multiply" | "sum" | "dot" | "sumPerChannel" | "scalar" | "read" | "tensor" | "release"
>;

/** The gated quantizer made of simpler operations, for engines that have no kernel of its own for it. */
export function composedQuantizer(ops: Primitives): Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient"> {
  const inner = (a: Tensor, b: Tensor): number => {
    const product = ops.dot(a, b);
    const value = ops.scalar(product);
    ops.release(product);
    return value;
  };
  const perChannel = (a: Tensor, b: Tensor): ArrayLike<number> => {
    const product = ops.multiply(a, b);
    const sums = ops.sumPerChannel(product);
    const values = ops.read(sums);
    for (const tensor of [product, sums]) ops.release(tensor);
    return values;
  };
  const telescoped: Ops["gatedQuantize"] = (x, { terms, signed, xMax }) => {
    const weighted = terms.map(({ bits, weight }) => {
      const onGrid = ops.quantize(x, { bits, signed, xMax });
      if (weight === 1) return onGrid;
      const factor =
        typeof weight === "number" ? ops.tensor(Float32Array.of(weight), []) : ops.tensor(weight, [weight.length]);
      const term = ops.multiply(onGrid, factor);
      ops.release(onGrid);
      return term;
    });
    if (weighted.length === 1) return first(weighted);
    const sum = ops.sum(weighted);
    for (const term of weighted) ops.release(term);
    return sum;
  };
  return {
    gatedQuantize(x, options) {
      const sum = telescoped(x, options);
      if (!options.gates) return sum;
      const output = ops.multiply(sum, options.gates);
      ops.release(sum);
      return output;
    },
    gatedQuantizeGradient(x, byOutput, { terms, wanted, wantsChannels, signed, xMax, gates }) {
      const gradient = gates ? ops.multiply(byOutput, gates) : byOutput;
      const output = telescoped(x, { terms, signed, xMax });
      const byX = ops.rangeMask(x, gradient, { signed, xMax });
      const range = inner(gradient, output) - inner(byX, x);
      const channels = gates && wantsChannels ? perChannel(gradient, output) : null;
      ops.release(output);
      const byChannel = terms.some(({ weight }) => typeof weight === "object");
      const levels = new Map<BitWidth, ArrayLike<number>>();
      for (const bits of wanted) {
        const onGrid = ops.quantize(x, { bits, signed, xMax });
        levels.set(bits, byChannel ? perChannel(gradient, onGrid) : [inner(gradient, onGrid)]);
        ops.release(onGrid);
      }
      if (gates) ops.release(gradient);
      return { gradient: byX, range, levels, channels };
    },
  };
}
