import { tuple } from "../../core/tuple.ts";
import type { Conv2dGeometry, Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";

type Depthwise = Pick<Ops, "depthwiseConv2d" | "depthwiseConv2dInputGradient" | "depthwiseConv2dWeightGradient">;

/**
 * The kernels of kernels.cc, in float32: of any geometry, without a padded copy of the image. Null where this build of
 * TensorFlow was made without them, or runs on a GPU.
 */
export function fusedDepthwise(run: Executor): Depthwise | null {
  const kernel = (name: string) => run.kernel(`BayesianBitsDepthwise${name}`, {});
  const [forward, byInput, byWeight] = [kernel(""), kernel("InputGradient"), kernel("WeightGradient")];
  /** @param given Rows and columns of what is computed. */
  const geometryOf = (
    { strides, dilations, padding: { top, left } }: Conv2dGeometry,
    given: readonly number[],
  ): Tensor => run.create(Float32Array.of(...strides, ...dilations, top, left, ...given), [8]);
  const fused: Depthwise = {
    depthwiseConv2d: (x, weight, geometry) =>
      run.run(forward, [x, weight, geometryOf(geometry, windowsOf(x.shape, weight.shape, geometry))]),
    depthwiseConv2dInputGradient(shape, weight, gradient, geometry) {
      const [, rows, columns] = tuple(shape, 4);
      return run.run(byInput, [gradient, weight, geometryOf(geometry, [rows, columns])]);
    },
    depthwiseConv2dWeightGradient(x, shape, gradient, geometry) {
      const [rows, columns] = tuple(shape, 4);
      return run.run(byWeight, [x, gradient, geometryOf(geometry, [rows, columns])]);
    },
  };
  const geometry: Conv2dGeometry = {
    strides: [1, 1],
    dilations: [1, 1],
    padding: { top: 0, bottom: 0, left: 0, right: 0 },
  };
  const one = () => run.create(new Float32Array(1), [1, 1, 1, 1]);
  return run.hasOwn(() => fused.depthwiseConv2d(one(), one(), geometry)) ? fused : null;
}

/** Rows and columns of places where a window stands. */
function windowsOf(
  image: readonly number[],
  weight: readonly number[],
  { strides, dilations, padding: { top, bottom, left, right } }: Conv2dGeometry,
): readonly [number, number] {
  const [, height, width] = tuple(image, 4);
  const [rows, columns] = tuple(weight, 4);
  return [
    Math.floor((height + top + bottom - (rows - 1) * dilations[0] - 1) / strides[0]) + 1,
    Math.floor((width + left + right - (columns - 1) * dilations[1] - 1) / strides[1]) + 1,
  ];
}
