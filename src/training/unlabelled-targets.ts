import type { RunConfig } from "../config/schema.ts";
import { distillationOf, teacherProblem } from "../config/sections/loss-settings.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import type { Dataset } from "../data/dataset.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import { elementsOf } from "../graph/shape.ts";
import { importGraph } from "../network/onnx/import-network.ts";
import { readNetworkFile } from "../network/onnx/read-network-file.ts";
import { outputShapes } from "../network/output-shapes.ts";
import { type DeclaredTensor, declaredTensor } from "../onnx/value-info.ts";
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

interface Unlabelled extends Pick<Dataset, "targets" | "imageShape" | "normalization"> {
  /** What the task learns from. */
  readonly kind: TargetKind | null;
  /** What the run has that goes on, or is evaluated: it need not find its teacher again. */
  readonly recorded?: TargetDescription | undefined;
}

/**
 * What the network gives for each sample: as the data say it, or where they say nothing, as the teacher does.
 *
 * @throws UserError, UsageError where the teacher cannot tell either, or gives other classes than the data names.
 */
export function describeTargets(config: RunConfig, data: Unlabelled): TargetDescription {
  const { targets, kind } = data;
  if (targets.kind !== "none" || kind === null) return targets;
  return data.recorded ?? named(taughtTargets(config, { ...data, kind }), targets.names);
}

/** The same with the names of classes that the data has. */
function named(targets: TargetDescription, names: readonly string[] | undefined): TargetDescription {
  if (names === undefined) return targets;
  if (!("names" in targets) || targets.names === undefined)
    throw new UsageError("data.classes: expected nothing: the teacher gives values, no classes");
  if (targets.names.length === names.length) return { ...targets, names };
  throw new UsageError(
    `data.classes: expected ${targets.names.length} names, as many classes as the teacher has, got ${names.length}`,
  );
}

function taughtTargets(
  { training, network, method }: RunConfig,
  { kind, imageShape, normalization }: Unlabelled & { readonly kind: TargetKind },
): TargetDescription {
  const teacher = distillationOf({ training, network, method }, false)?.teacher;
  if (teacher === undefined && training.from !== undefined) return ofRun(training.from, kind);
  const { path, setting, outputs } =
    teacher !== undefined
      ? { path: teacher, setting: "training.loss.teacher", outputs: undefined }
      : {
          path: "",
          outputs: undefined,
          ...("file" in network && { ...network, path: network.file }),
          setting: "network.file",
        };
  const values = valuesOf(path, setting, { outputs, sample: imageShape, areImages: normalization !== null });
  switch (kind) {
    case "classes":
    case "labels":
      return { kind, names: numbered(values) };
    case "values":
      return { kind, outputs: values };
    case "masks": {
      const [height = 0, width = 0] = imageShape;
      return { kind, names: numbered(values / (height * width)), size: [height, width] };
    }
  }
}

const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => String(index));

function ofRun(from: string, kind: TargetKind): TargetDescription {
  const { targets } = checkpointOf(from).record.data;
  if (targets.kind === kind) return targets;
  throw new UsageError(`task.name: it gives ${kind}, and training.from ${from} has learned ${targets.kind}`);
}

/**
 * How many values a file gives for each sample: as it declares them of its outputs, or, where it leaves sizes open, as they
 * are found by importing it.
 *
 * @param options.outputs Names of values of it that are given in place of its outputs.
 * @param options.sample The shape of the data's samples.
 */
function valuesOf(
  path: string,
  setting: string,
  {
    outputs,
    ...samples
  }: {
    readonly outputs: readonly string[] | undefined;
    readonly sample: readonly number[];
    readonly areImages: boolean;
  },
): number {
  const { model } = readNetworkFile(path, setting);
  const declared = model.graph.output.map((output) => {
    const [, ...sizes] = declaredTensor(output)?.shape ?? [null];
    const known = sizes.flatMap((size) => (typeof size === "number" && size > 0 ? [size] : []));
    return known.length > 0 && known.length === sizes.length ? elementsOf(known) : null;
  });
  if (outputs === undefined && !declared.includes(null))
    return declared.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const sizes = new Map(model.graph.input.map((input) => [input.name, sizesOf(declaredTensor(input)?.shape, samples)]));
  try {
    const { network } = importGraph(model, { file: path, name: path, outputs }, sizes);
    const shapes = outputShapes(network);
    return network.outputs.reduce((sum, id) => sum + elementsOf(lookup(shapes, id)), 0);
  } catch (error) {
    if (!(error instanceof UserError) || outputs !== undefined) throw error;
    throw new UserError(
      `${setting} ${path} does not say how many values its outputs have, and importing it does not tell (${error.message}): export it with sizes, or give the data labels`,
      { cause: error },
    );
  }
}

/** A sample as an input has it: images have their channels first there, unless its own sizes say otherwise. */
function sizesOf(
  declared: DeclaredTensor["shape"] | undefined,
  { sample, areImages }: { readonly sample: readonly number[]; readonly areImages: boolean },
): readonly number[] {
  if (!areImages) return sample;
  const [height, width, channels] = tuple(sample, 3);
  const first = [channels, height, width];
  const isFirst = first.every((size, axis) => {
    const open = declared?.[axis + 1];
    return typeof open !== "number" || open <= 0 || open === size;
  });
  return isFirst ? first : sample;
}
