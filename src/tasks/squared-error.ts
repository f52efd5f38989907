import type { Ops, Tensor } from "../engine/ops.ts";
import { elementsOf } from "../graph/shape.ts";
import type { Loss } from "./task.ts";

/**
 * Mean over images and outputs of the squared differences, over `unit`.
 *
 * @param unit What the loss is counted in, as the targets' variance: 1 is what it is by their mean then.
 */
export function squaredError(ops: Ops, outputs: Tensor, targets: Tensor, unit = 1): Loss {
  const count = unit * elementsOf(outputs.shape);
  const scalar = (value: number) => ops.tensor(Float32Array.of(value), []);
  const difference = ops.add(outputs, ops.multiply(targets, scalar(-1)));
  return {
    loss: ops.multiply(ops.dot(difference, difference), scalar(1 / count)),
    gradient: ops.multiply(difference, scalar(2 / count)),
  };
}
