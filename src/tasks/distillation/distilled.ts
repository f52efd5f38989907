import type { Distillation } from "../../config/sections/loss-settings.ts";
import { first } from "../../core/elements.ts";
import { square } from "../../core/powers.ts";
import type { Targets } from "../../data/targets.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import type { TaskDescription } from "../metric.ts";
import { mixed } from "../mixed-loss.ts";
import { squaredError } from "../squared-error.ts";
import type { Loss, Task } from "../task.ts";
import { type DistilledHead, distanceOfHeads } from "./distance-of-heads.ts";
import { divergenceFrom } from "./divergence-from.ts";

export interface DistilledOptions extends Pick<Distillation, "temperature" | "weight"> {
  /** Of a teacher's outputs that are values: what their squared error is counted in; of one of the heads, where there are several. */
  variance(head: number): number;
  /** Where the network gives several outputs side by side. */
  readonly heads?: readonly DistilledHead[] | undefined;
}

/**
 * A task whose network learns from a teacher: the loss is the distance from its outputs, in part where the weight is below
 * 1; all figures are the task's own. Of a softmax it is the divergence, else the squared error over the outputs' variance
 * (docs/method.md, "Distillation"). Batches have their teacher's outputs (`Targets.teacher`).
 */
export function distilled<Findings>(task: Task<Findings>, options: DistilledOptions): Task<Findings> {
  const { weight } = options;
  return {
    ...task,
    description: described(task, options),
    targets: (ops, batch) => [
      ops.tensor(teacherOf(batch.targets), [batch.count, task.outputs]),
      ...task.targets(ops, batch),
    ],
    loss(ops, outputs, uploaded) {
      const labels = uploaded.slice(1);
      if (weight === 0) return task.loss(ops, outputs, labels);
      const teacher = ops.reshape(first(uploaded), outputs.shape);
      const distance = distanceFrom(ops, teacher, outputs, { task, ...options });
      return weight === 1 ? distance : mixed(ops, weight, [distance, task.loss(ops, outputs, labels)]);
    },
    sums: (ops, outputs, [, ...labels]) => task.sums(ops, outputs, labels),
  };
}

/** The data set has a teacher: batches without its outputs are a defect. */
function teacherOf({ teacher }: Targets): Float32Array {
  if (teacher === undefined) throw new Error("a batch without its teacher's outputs");
  return teacher;
}

function distanceFrom(
  ops: Ops,
  teacher: Tensor,
  outputs: Tensor,
  { task: { softmax }, temperature, variance, heads }: DistilledOptions & { readonly task: Pick<Task, "softmax"> },
): Loss {
  if (heads !== undefined) {
    const options = { heads, temperature, varianceOf: variance };
    const { loss, gradient } = distanceOfHeads(ops.read(teacher), ops.read(outputs), options);
    return { loss: ops.tensor(Float32Array.of(loss), []), gradient: ops.tensor(gradient, outputs.shape) };
  }
  if (softmax === null) return squaredError(ops, outputs, teacher, variance(0));
  const { loss, gradient } = divergenceFrom(ops.read(teacher), ops.read(outputs), { classes: softmax, temperature });
  return { loss: ops.tensor(Float32Array.of(loss), []), gradient: ops.tensor(gradient, outputs.shape) };
}

/** The loss by its name, and what it is of a network that looks at no image: at most the uniform distribution's. */
function described(
  { description, softmax }: Pick<Task, "description" | "softmax">,
  { weight, temperature, heads = [{ size: softmax ?? 0, isSoftmax: softmax !== null }] }: DistilledOptions,
): TaskDescription {
  if (weight === 0) return description;
  const own = description.loss;
  const label =
    heads.length === 1 ? distanceName(softmax, temperature) : `distance from the teacher's ${heads.length} outputs`;
  const chances = heads.map(({ size, isSoftmax }) => (isSoftmax ? square(temperature) * Math.log(size) : 1));
  const chance = chances.reduce((sum, one) => sum + one, 0);
  if (weight === 1) return { ...description, loss: { label, unit: "", digits: null, chance } };
  const mean = own.chance === undefined ? {} : { chance: weight * chance + (1 - weight) * own.chance };
  const rest = Number((1 - weight).toPrecision(12));
  return {
    ...description,
    loss: { label: `${weight} · ${label} + ${rest} · ${own.label}`, unit: "", digits: null, ...mean },
  };
}

function distanceName(softmax: number | null, temperature: number): string {
  if (softmax === null) return "squared error against the teacher";
  return `divergence from the teacher${temperature === 1 ? "" : ` at temperature ${temperature}`}`;
}
