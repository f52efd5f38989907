import { configSchema, type RunConfig } from "./schema.ts";
import { isTree } from "./source.ts";

/** A setting that differs between two configurations; undefined where one of them lacks it. */
export interface Change {
  /** Dotted, as `training.weights.learningRate`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The settings in which two configurations differ, leaf by leaf, in the order of their paths. */
export function changedSettings(before: unknown, after: unknown, path = ""): readonly Change[] {
  if (isTree(before) && isTree(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return keys.flatMap((key) => changedSettings(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

/**
 * The settings in which a configuration differs from the one that a record holds. Settings that are younger than the
 * record had their defaults then.
 */
export function changesSince(recorded: unknown, config: RunConfig): readonly Change[] {
  const parsed = configSchema.safeParse(recorded);
  return changedSettings(parsed.success ? parsed.data : recorded, config);
}

/** What a run may change on its way: nothing that its checkpoint or its place in the data depends on. */
const changeable = [
  /^note$/,
  /^checkpoint\./,
  /^training\.(?!.*\.optimizer$|pretrain$|pretrain\.epochs$)/,
  /^engine\.threads$/,
  /^export\./,
  /^report\./,
  /^data\.(folder|evaluationBatchSize)$/,
];

/** Whether `--resume` may go on with another value of this setting. */
export const mayChangeOnResume = ({ path }: Change): boolean => changeable.some((pattern) => pattern.test(path));

/** Whether a finished run may be asked for with another value of this setting: nothing that it was made with. */
export const mayDifferWhenFinished = (change: Change): boolean =>
  mayChangeOnResume(change) && !/^(training|export|report)\./.test(change.path);

/** `training.epochs: 3 → 5`. */
export const describeChange = ({ path, before, after }: Change): string =>
  `${path}: ${JSON.stringify(before) ?? "unset"} → ${JSON.stringify(after) ?? "unset"}`;
