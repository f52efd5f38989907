import { first } from "../../core/elements.ts";
import type { Dataset } from "../../data/dataset.ts";
import { forward } from "../../network/passes.ts";
import type { Task } from "../../tasks/task.ts";
import type { Model } from "../model.ts";
import { networkInput } from "../network-input.ts";
import { passOf, soleInput } from "../pass.ts";

/**
 * A task whose loss is to say what a teacher says of the same samples: labels are not read. It has no figures of its own.
 *
 * @param teacher A network without quantizers.
 */
export const imitating = (task: Task, teacher: Model, data: Pick<Dataset, "imageShape" | "normalization">): Task => ({
  ...task,
  targets: (ops, batch) =>
    ops.scope(
      () => {
        const inputs = soleInput(teacher.network, networkInput(ops, batch, data));
        const pass = passOf(teacher, new Map(), inputs, { training: false });
        return first(forward(teacher.network, pass, { keep: false }).outputs);
      },
      (outputs) => [outputs],
    ),
  loss: task.imitation,
  sums: () => ({}),
  figures: () => ({}),
});
