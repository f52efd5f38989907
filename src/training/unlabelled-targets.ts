import type { RunConfig } from "../config/schema.ts";
import { distillationOf, teacherProblem } from "../config/sections/loss-settings.ts";
import { first } from "../core/elements.ts";
import { UsageError, UserError } from "../core/errors.ts";
import type { Dataset } from "../data/dataset.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import { elementsOf } from "../graph/shape.ts";
import { readNetworkFile } from "../network/onnx/read-network-file.ts";
import { declaredTensor } from "../onnx/value-info.ts";
import { checkpointOf } from "../runs/checkpoint-of.ts";
import { type LabelNeeds, labelNeedsOf } from "../tasks/create-task.ts";

/** What a configuration asks of its data. */
export function labelNeeds(config: RunConfig): LabelNeeds {
  const needs = labelNeedsOf(config.task);
  return { ...needs, unlabelled: needs.unlabelled || learnsUnlabelled(config) };
}

/** Whether a configuration can learn from data without labels: it has a teacher, and nothing else to lower. */
export function learnsUnlabelled(config: RunConfig): boolean {
  const distillation = distillationOf(config, false);
  return distillation !== null && distillation.weight === 1 && teacherProblem(config, distillation) === null;
}

/**
 * What the network gives for each sample: as the data say it, or where they say nothing, as the teacher does.
 *
 * @throws UserError, UsageError where the teacher cannot tell either.
 */
export function describeTargets(
  config: RunConfig,
  { targets, imageShape }: Pick<Dataset, "targets" | "imageShape">,
  kind: TargetKind | null,
): TargetDescription {
  if (targets.kind !== "none" || kind === null) return targets;
  const { training, network } = config;
  const teacher = distillationOf(config, false)?.teacher;
  if (teacher === undefined && training.from !== undefined) return ofRun(training.from, kind);
  const [path, setting] =
    teacher !== undefined
      ? [teacher, "training.loss.teacher"]
      : [("file" in network ? network.file : undefined) ?? "", "network.file"];
  return ofFile(path, setting, { kind, imageShape });
}

function ofRun(from: string, kind: TargetKind): TargetDescription {
  const { targets } = checkpointOf(from).record.data;
  if (targets.kind === kind) return targets;
  throw new UsageError(`task.name: it gives ${kind}, and training.from ${from} has learned ${targets.kind}`);
}

/** By the shape that a file declares for its output. */
function ofFile(
  path: string,
  setting: string,
  { kind, imageShape }: { readonly kind: TargetKind; readonly imageShape: readonly number[] },
): TargetDescription {
  const { model } = readNetworkFile(path, setting);
  const output = first(model.graph.output);
  const [, ...sizes] = declaredTensor(output)?.shape ?? [];
  const known = sizes.flatMap((size) => (typeof size === "number" && size > 0 ? [size] : []));
  if (known.length === 0 || known.length < sizes.length) {
    throw new UserError(
      `${setting} ${path} does not say how many values its output "${output.name}" has: export it with sizes, or give the data labels`,
    );
  }
  const outputs = elementsOf(known);
  switch (kind) {
    case "classes":
    case "labels":
      return { kind, names: Array.from({ length: outputs }, (_, index) => String(index)) };
    case "values":
      return { kind, outputs };
    case "masks": {
      const [height = 0, width = 0] = imageShape;
      const names = Array.from({ length: outputs / (height * width) }, (_, index) => String(index));
      return { kind, names, size: [height, width] };
    }
  }
}
