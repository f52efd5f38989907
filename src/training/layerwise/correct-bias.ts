import type { CalibrationRows } from "../../methods/layerwise/layer-problem.ts";
import { meanCorrection } from "../../quantization/mean-correction.ts";
import { rowOf } from "../../quantization/weight-grid.ts";

/**
 * The bias with which a quantized layer has the float32 layer's mean outputs on the calibration rows.
 *
 * @param weights Quantized, [outputs, inputs].
 */
export function correctedBias(
  weights: Float32Array,
  bias: Float32Array,
  { groups, samples, positions, inputs, targets }: CalibrationRows,
): Float32Array {
  const rows = samples * positions;
  const outputs = bias.length / groups;
  const width = weights.length / bias.length;
  const corrected = new Float32Array(bias.length);
  for (let group = 0; group < groups; group++) {
    const own = rowOf(bias, group, outputs);
    const correction = meanCorrection({
      weights: rowOf(weights, group, outputs * width),
      bias: own,
      inputMeans: meansOf(rowOf(inputs, group, rows * width), width),
      targetMeans: meansOf(rowOf(targets, group, rows * outputs), outputs),
    });
    corrected.set(
      own.map((value, output) => value + correction[output]!),
      group * outputs,
    );
  }
  return corrected;
}

/** Mean of each column of [rows, columns]. */
function meansOf(values: Float32Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let index = 0; index < values.length; index++) sums[index % columns]! += values[index]!;
  return sums.map((sum) => sum / (values.length / columns));
}
