import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import type { Nonlinearity } from "../nonlinearity.ts";
import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";

/** Which one of nonlinear-blocks.h, and its numbers. */
type Coded = readonly [index: number, first: number, second: number];

/** Null: it is one kernel of TensorFlow's already. */
const codes: ByKind<Nonlinearity, [], Coded | null> = {
  sigmoid: () => [0, 0, 0],
  tanh: () => [1, 0, 0],
  softplus: () => [2, 0, 0],
  silu: () => [3, 0, 0],
  mish: () => [4, 0, 0],
  "hard-swish": () => [5, 0, 0],
  gelu: () => [6, 0, 0],
  "gelu-tanh": () => [7, 0, 0],
  sqrt: () => null,
  reciprocal: () => null,
  "hard-sigmoid": ({ slope, offset }) => [8, slope, offset],
  "leaky-relu": ({ slope }) => [9, slope, 0],
  elu: ({ scale }) => [10, scale, 0],
};

type Nonlinearities = Pick<Ops, "nonlinear" | "nonlinearGradient">;

/**
 * The kernels of kernels.cc; null where this build of TensorFlow was made without them, or runs on a GPU.
 *
 * @param composed What they have no code for.
 */
export function fusedNonlinearities(run: Executor, composed: Nonlinearities): Nonlinearities | null {
  const forward = run.kernel("BayesianBitsNonlinear", {});
  const backward = run.kernel("BayesianBitsNonlinearGradient", {});
  const coded = (code: Coded): Tensor => run.create(Float32Array.from(code), [3]);
  const fused: Nonlinearities = {
    nonlinear(x, of) {
      const code = applyByKind(codes, of);
      return code === null ? composed.nonlinear(x, of) : run.run(forward, [x, coded(code)]);
    },
    nonlinearGradient(x, gradient, of) {
      const code = applyByKind(codes, of);
      return code === null
        ? composed.nonlinearGradient(x, gradient, of)
        : run.run(backward, [x, gradient, coded(code)]);
    },
  };
  return run.hasOwn(() => fused.nonlinear(run.create(new Float32Array(1), [1]), { kind: "tanh" })) ? fused : null;
}
