import { first } from "../../core/elements.ts";
import { clipFactor } from "../../quantization/levels.ts";
import type { Ops } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float } from "./kernel-attributes.ts";

/** Elements within this relative distance of the range's end count as clipped: xMax starts as an exact weight. */
const RANGE_MARGIN = 3e-7;

/** Grids and ranges in one or two passes over the tensor; what is learned goes in as tensors, never as attributes. */
export function quantization(run: Executor): Pick<Ops, "quantize" | "rangeMask"> {
  return {
    quantize(x, { bits, signed, xMax }) {
      if (bits === 32) {
        const high = Math.fround(xMax * clipFactor);
        return run.run(run.kernel("ClipByValue", float), [x, run.scalar(signed ? -high : 0), run.scalar(high)]);
      }
      // The signed grid is symmetric: its ends are the outermost codes ±(2^(b-1) - 1), half a step inside ±xMax.
      const end = signed ? (xMax * (2 ** bits - 2)) / (2 ** bits - 1) : xMax;
      const kernel = run.kernel("FakeQuantWithMinMaxVars", { num_bits: bits, narrow_range: signed });
      return run.run(kernel, [x, run.scalar(signed ? -end : 0), run.scalar(end)]);
    },
    rangeMask(x, gradient, { signed, xMax }) {
      const end = xMax * (1 - RANGE_MARGIN);
      if (signed) {
        const kernel = run.kernel("FakeQuantWithMinMaxVarsGradient", { num_bits: 16, narrow_range: true });
        return first(run.runMany(kernel, [gradient, x, run.scalar(-end), run.scalar(end)], 3));
      }
      // ReLU6's gradient is the mask of (0, 6) in one pass: stretch the range onto it.
      const stretched = run.run(run.kernel("Mul", float), [x, run.scalar(6 / end)]);
      const result = run.run(run.kernel("Relu6Grad", float), [gradient, stretched]);
      run.release(stretched);
      return result;
    },
  };
}
