import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import type { Nonlinearity } from "../nonlinearity.ts";
import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";

/** Which one of nonlinear-blocks.h, and its numbers. */
type Coded = readonly [index: number, first: number, second: number];

const codes: ByKind<Nonlinearity, [], Coded> = {
  sigmoid: () => [0, 0, 0],
  tanh: () => [1, 0, 0],
  softplus: () => [2, 0, 0],
  silu: () => [3, 0, 0],
  mish: () => [4, 0, 0],
  "hard-swish": () => [5, 0, 0],
  gelu: () => [6, 0, 0],
  "gelu-tanh": () => [7, 0, 0],
  "hard-sigmoid": ({ slope, offset }) => [8, slope, offset],
  "leaky-relu": ({ slope }) => [9, slope, 0],
  elu: ({ scale }) => [10, scale, 0],
};

/** The kernels of kernels.cc; null where this build of TensorFlow was made without them, or runs on a GPU. */
export function fusedNonlinearities(run: Executor): Pick<Ops, "nonlinear" | "nonlinearGradient"> | null {
  const forward = run.kernel("BayesianBitsNonlinear", {});
  const backward = run.kernel("BayesianBitsNonlinearGradient", {});
  const coded = (of: Nonlinearity): Tensor => run.create(Float32Array.from(applyByKind(codes, of)), [3]);
  const fused: Pick<Ops, "nonlinear" | "nonlinearGradient"> = {
    nonlinear: (x, of) => run.run(forward, [x, coded(of)]),
    nonlinearGradient: (x, gradient, of) => run.run(backward, [x, gradient, coded(of)]),
  };
  return run.hasOwn(() => fused.nonlinear(run.create(new Float32Array(1), [1]), { kind: "tanh" })) ? fused : null;
}
