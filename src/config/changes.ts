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

/** What a run may change on its way: nothing that its checkpoint or its place in the data depends on. */
const changeable = [
  /^note$/,
  /^checkpoint\./,
  /^training\.(?!.*\.optimizer$|pretrain$|pretrain\.epochs$)/,
  /^engine\.threads$/,
  /^export\./,
  /^data\.(folder|evaluationBatchSize)$/,
];

/** Whether `--resume` may go on with another value of this setting. */
export const mayChangeOnResume = ({ path }: Change): boolean => changeable.some((pattern) => pattern.test(path));

/** `training.epochs: 3 → 5`. */
export const describeChange = ({ path, before, after }: Change): string =>
  `${path}: ${JSON.stringify(before) ?? "unset"} → ${JSON.stringify(after) ?? "unset"}`;
