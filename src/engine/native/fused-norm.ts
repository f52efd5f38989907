import { tuple } from "../../core/tuple.ts";
import type { Ops } from "../ops.ts";
import type { Executor } from "./executor.ts";

type Norm = Pick<Ops, "batchNorm" | "batchStatistics" | "batchNormGradient" | "affine">;

/** The kernels of kernels.cc; null where this build of TensorFlow was made without them, or runs on a GPU. */
export function fusedNorm(run: Executor): Norm | null {
  const kernel = (name: string) => run.kernel(`BayesianBits${name}`, {});
  const [forward, statistics] = [kernel("BatchNorm"), kernel("BatchStatistics")];
  const [backward, affine] = [kernel("BatchNormGradient"), kernel("Affine")];
  const number = (value: number) => run.create(Float32Array.of(value), [1]);
  const fused: Norm = {
    batchNorm(x, scale, shift, epsilon) {
      const [output, mean, variance] = tuple(run.runMany(forward, [x, scale, shift, number(epsilon)], 3), 3);
      return { output, statistics: { mean, variance } };
    },
    batchStatistics(x) {
      const [mean, variance] = tuple(run.runMany(statistics, [x], 2), 2);
      return { mean, variance };
    },
    affine: (x, scale, shift) => run.run(affine, [x, scale, shift]),
    batchNormGradient(x, gradient, scale, { mean, variance }, epsilon) {
      const inputs = [x, gradient, scale, mean, variance, number(epsilon)];
      const [byX, byScale, byShift] = tuple(run.runMany(backward, inputs, 3), 3);
      return { x: byX, scale: byScale, shift: byShift };
    },
  };
  const one = () => run.create(new Float32Array(1), [1]);
  return run.hasOwn(() => fused.batchNorm(run.create(new Float32Array(1), [1, 1]), one(), one(), 1)) ? fused : null;
}
