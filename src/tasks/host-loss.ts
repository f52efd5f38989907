import { at } from "../core/elements.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Loss } from "./task.ts";

/** Loss of one output, and its slope. */
export type ElementLoss = (output: number, target: number) => readonly [loss: number, slope: number];

/** The mean over images and outputs of a loss of each by itself, in double precision. */
export function hostLoss(ops: Ops, outputs: Tensor, targets: Tensor, of: ElementLoss): Loss {
  const [values, wanted] = [ops.read(outputs), ops.read(targets)];
  const gradient = new Float32Array(values.length);
  let sum = 0;
  values.forEach((value, index) => {
    const [loss, slope] = of(value, at(wanted, index));
    sum += loss;
    gradient[index] = slope / values.length;
  });
  return {
    loss: ops.tensor(Float32Array.of(sum / values.length), []),
    gradient: ops.tensor(gradient, outputs.shape),
  };
}
