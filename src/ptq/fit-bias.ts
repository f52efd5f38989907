import { at } from "../core/elements.ts";
import { LARGEST_BIAS } from "../export/onnx/integer-weight.ts";
import { roundHalfEven } from "../quantization/grid.ts";
import { clamp, symmetricCodes } from "../quantization/weight-grid.ts";
import { widthOf } from "../quantization/weight-widths.ts";
import type { SolvedSite } from "./solve-site.ts";
import { fromRows, toRows } from "./weight-site.ts";

/**
 * A weight whose bias fits int32, in steps of input step · weight step. Where it does not, a channel's weights are next to
 * nothing beside its bias: a larger step, which rounds them to less than a millionth of it, is no loss.
 *
 * @param bias A number for each output channel.
 * @param step Of what the layer reads.
 */
export function fitBias(solved: SolvedSite, bias: Float32Array, step: number): SolvedSite {
  const { site, bits, codes, steps } = solved;
  const least = Float32Array.from(bias, (value) => (1.001 * Math.abs(value)) / (step * LARGEST_BIAS));
  if (least.every((value, channel) => value <= at(steps, channel))) return solved;
  const fitted = steps.map((own, channel) => Math.max(own, at(least, channel)));
  const rows = toRows(site.layout, Float32Array.from(codes));
  const again = Int32Array.from(rows.values, (code, index) => {
    const channel = Math.floor(index / rows.inputs);
    const { lowest, highest } = symmetricCodes(widthOf(bits, channel));
    return clamp(roundHalfEven((code * at(steps, channel)) / at(fitted, channel)), lowest, highest);
  });
  return { ...solved, codes: fromRows(site.layout, again), steps: fitted };
}
