import type { RegressionLoss } from "../../config/sections/task-settings.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { type ElementLoss, hostLoss } from "../host-loss.ts";
import { squaredError } from "../squared-error.ts";
import type { Loss } from "../task.ts";

const absolute: ElementLoss = (output, target) => [Math.abs(output - target), Math.sign(output - target)];

/** d²/2 for |d| <= delta, else delta·(|d| - delta/2) (Huber, 1964). */
const huber =
  (delta: number): ElementLoss =>
  (output, target) => {
    const difference = output - target;
    const size = Math.abs(difference);
    if (size <= delta) return [(difference * difference) / 2, difference];
    return [delta * (size - delta / 2), delta * Math.sign(difference)];
  };

/** What a regression lowers: its name, and the mean over images and outputs. */
export function regressionLoss(loss: RegressionLoss = { name: "squared" }): {
  readonly label: string;
  readonly of: (ops: Ops, outputs: Tensor, targets: Tensor) => Loss;
} {
  switch (loss.name) {
    case "squared":
      return { label: "squared error", of: squaredError };
    case "absolute":
      return { label: "absolute error", of: (...given) => hostLoss(...given, absolute) };
    case "huber":
      return { label: `Huber loss (delta ${loss.delta})`, of: (...given) => hostLoss(...given, huber(loss.delta)) };
  }
}
