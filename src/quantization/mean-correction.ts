/**
 * What is added to the bias of each output channel so that its mean over the calibration rows is the float layer's
 * again (bias correction, Nagel et al. 2019, section 4.2, on measured means): mean(y) - W_q·mean(x) - bias.
 */
export function meanCorrection({
  weights,
  bias,
  inputMeans,
  targetMeans,
}: {
  /** Quantized weights [outputs, inputs] of one group. */
  weights: Float32Array;
  bias: ArrayLike<number> | null;
  /** Means of the quantized layer's inputs, [inputs]. */
  inputMeans: ArrayLike<number>;
  /** Means of the float layer's outputs before the activation, bias included, [outputs]. */
  targetMeans: ArrayLike<number>;
}): Float64Array {
  const inputs = inputMeans.length;
  return Float64Array.from(targetMeans, (mean, output) => {
    let produced = bias?.[output] ?? 0;
    for (let input = 0; input < inputs; input++) produced += weights[output * inputs + input]! * inputMeans[input]!;
    return mean - produced;
  });
}
