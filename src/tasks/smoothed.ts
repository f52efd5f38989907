import { UsageError } from "../core/errors.ts";
import { divergenceFrom } from "./distillation/divergence-from.ts";
import { mixed } from "./mixed-loss.ts";
import type { Task } from "./task.ts";

/**
 * A task whose labels are smoothed: the right class is wanted with the probability 1 - s + s/classes, each other one with
 * s/classes (Szegedy et al., 2016, section 7). Figures go by the labels as they are.
 *
 * @param share s.
 * @throws UsageError where outputs are no classes.
 */
export function smoothed<Findings>(task: Task<Findings>, share: number): Task<Findings> {
  const { softmax: classes, name } = task;
  if (classes === null || name !== "classification")
    throw new UsageError(
      `training.loss.labelSmoothing: expected nothing, or 0: the labels of classification alone are smoothed, and this is ${name}`,
    );
  const { loss: own } = task.description;
  return {
    ...task,
    description: { ...task.description, loss: { ...own, label: `${own.label}, labels smoothed by ${share}` } },
    loss(ops, outputs, labels) {
      const student = ops.read(outputs);
      // Logits that are all the same: the uniform distribution.
      const uniform = divergenceFrom(new Float32Array(student.length), student, { classes, temperature: 1 });
      const loss = ops.tensor(Float32Array.of(uniform.loss + Math.log(classes)), []);
      const gradient = ops.tensor(uniform.gradient, outputs.shape);
      return mixed(ops, share, [{ loss, gradient }, task.loss(ops, outputs, labels)]);
    },
  };
}
