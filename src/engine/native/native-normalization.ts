import { at, first, last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

/**
 * Batch normalization by the fused kernels, which want [batch, height, width, channels]: vectors are images of one
 * pixel.
 */
export function normalization(
  run: Executor,
): Pick<Ops, "batchNorm" | "batchStatistics" | "batchNormGradient" | "affine"> {
  const kernel = (name: string, training: boolean, epsilon: number) =>
    run.kernel(name, {
      ...float,
      U: float.T,
      epsilon: { float: epsilon },
      data_format: "NHWC",
      is_training: training,
      ...(name === "FusedBatchNormV3" && { exponential_avg_factor: { float: 1 } }),
    });
  const reshape = (x: Tensor, shape: readonly number[]): Tensor =>
    x.shape.length === shape.length
      ? x
      : run.run(run.kernel("Reshape", { ...float, Tshape: index }), [
          x,
          run.create(Int32Array.from(shape), [shape.length]),
        ]);
  const image = (x: Tensor) => reshape(x, x.shape.length === 2 ? [first(x.shape), 1, 1, at(x.shape, 1)] : x.shape);
  const nothing = () => run.create(new Float32Array(0), [0]);
  const batchNorm: Ops["batchNorm"] = (x, scale, shift, epsilon) => {
    const inputs = [image(x), scale, shift, nothing(), nothing()];
    const outputs = run.runMany(kernel("FusedBatchNormV3", true, epsilon), inputs, 6);
    const [output, , , saved, savedVariance] = tuple(outputs, 6);
    return { output: reshape(output, x.shape), statistics: { mean: saved, variance: savedVariance } };
  };
  return {
    batchNorm,
    batchStatistics(x) {
      const channels = last(x.shape);
      const ones = run.create(new Float32Array(channels).fill(1), [channels]);
      const { output, statistics } = batchNorm(x, ones, ones, 1);
      run.release(output);
      return statistics;
    },
    batchNormGradient(x, gradient, scale, { mean, variance }, epsilon) {
      const inputs = [image(gradient), image(x), scale, mean, variance, nothing()];
      const outputs = run.runMany(kernel("FusedBatchNormGradV3", true, epsilon), inputs, 5);
      const [byX, byScale, byShift] = tuple(outputs, 5);
      return { x: reshape(byX, x.shape), scale: byScale, shift: byShift };
    },
    affine(x, scale, shift) {
      const channels = last(x.shape);
      const mean = run.create(new Float32Array(channels), [channels]);
      const variance = run.create(new Float32Array(channels).fill(1), [channels]);
      const output = first(
        run.runMany(kernel("FusedBatchNormV3", false, 0), [image(x), scale, shift, mean, variance], 6),
      );
      return reshape(output, x.shape);
    },
  };
}
