import type { Ops } from "../../engine/ops.ts";
import { descendCodes } from "../../quantization/code-descent.ts";
import { descendRectifiedCodes } from "../../quantization/rectified-descent.ts";
import type { RoundingChoice } from "../../quantization/soft-rounding.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import { channelSums, layerGrams } from "./layer-grams.ts";
import type { LayerProblem } from "./layer-problem.ts";

/**
 * Flips single weights between the codes below and above them while that lowers the calibration error: on the sums of
 * products where the layer is linear, row by row where a ReLU follows.
 */
export function flipCodes(
  problem: LayerProblem,
  start: Int32Array,
  {
    steps,
    choice: { lower, upper },
    ops,
  }: { readonly steps: Float32Array; readonly choice: RoundingChoice; readonly ops: Ops },
): Int32Array {
  const { weight, bias, rectified, rows } = problem;
  const limit = problem.limit ?? Number.POSITIVE_INFINITY;
  const codes = start.slice();
  const outputs = weight.outputs / rows.groups;
  const count = rows.samples * rows.positions;
  const boundsOf = (output: number) => ({
    lowest: rowOf(lower, output, weight.inputs),
    highest: rowOf(upper, output, weight.inputs),
  });
  if (!rectified) {
    const grams = layerGrams(problem, ops);
    for (let output = 0; output < weight.outputs; output++) {
      const own = { codes: rowOf(codes, output, weight.inputs) };
      descendCodes(channelSums(grams, output), own, steps[output]!, boundsOf(output));
    }
    return codes;
  }
  for (let group = 0; group < rows.groups; group++) {
    const columns = transposed(rowOf(rows.inputs, group, count * weight.inputs), weight.inputs);
    for (let channel = 0; channel < outputs; channel++) {
      const output = group * outputs + channel;
      const targets = Float64Array.from({ length: count }, (_, row) =>
        Math.min(limit, Math.max(0, rows.targets[(group * count + row) * outputs + channel]!)),
      );
      descendRectifiedCodes(
        { columns, targets, bias: bias?.[output] ?? 0, limit },
        rowOf(codes, output, weight.inputs),
        steps[output]!,
        boundsOf(output),
      );
    }
  }
  return codes;
}

/** [rows, inputs] to [inputs, rows]. */
function transposed(values: Float32Array, inputs: number): Float32Array {
  const rows = values.length / inputs;
  const columns = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let input = 0; input < inputs; input++) columns[input * rows + row] = values[row * inputs + input]!;
  }
  return columns;
}
