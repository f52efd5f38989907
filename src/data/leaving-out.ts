import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { shortenNames } from "../core/shorten.ts";
import type { OpenedData } from "./opened-data.ts";

/** Numbers of the images of each part. */
interface PartIndices {
  readonly train: Uint32Array;
  /** Among those of its own part, or of the training images where it has none. */
  readonly validation: Uint32Array | null;
  readonly test: Uint32Array;
}

/**
 * Those of the training images that are of none of these classes, which the other parts are to tell from the rest.
 *
 * @throws UsageError where there are no such classes, or a part has no image of them, or no other.
 */
export function leavingOut(
  { targets, classes, validation }: OpenedData,
  indices: PartIndices,
  without: readonly string[],
): Uint32Array {
  if (without.length === 0) return indices.train;
  const names = targets.kind === "classes" ? targets.names : [];
  const unknown = without.filter((name) => !names.includes(name));
  if (classes === null || unknown.length > 0) {
    const expected = names.length === 0 ? "data with classes" : `classes of the data (${shortenNames(names)})`;
    throw new UsageError(`task.anomalies: expected ${expected}, got ${shortenNames(without)}`);
  }
  const left = new Set(without.map((name) => names.indexOf(name)));
  const others = indices.train.filter((index) => !left.has(at(classes.train, index)));
  if (others.length === 0)
    throw new UsageError("task.anomalies: all training images are of these classes: leave some to train on");
  const requireBoth = (part: string, values: Int32Array, remedy: string) => {
    const anomalies = values.filter((label) => left.has(label)).length;
    if (anomalies > 0 && anomalies < values.length) return;
    const found = anomalies === 0 ? "none of" : "all";
    throw new UsageError(
      `task.anomalies: ${found} the ${values.length} ${part} images are of ${shortenNames(without)}, so there is nothing to tell apart: ${remedy}`,
    );
  };
  const pick = (values: Int32Array, chosen: Uint32Array) => Int32Array.from(chosen, (index) => at(values, index));
  requireBoth("test", pick(classes.test, indices.test), "give it images of both kinds, or a larger data.limit.test");
  if (indices.validation !== null) {
    const remedy = validation === null ? "choose another data.validationShare" : "give it images of both kinds";
    requireBoth("validation", pick(classes.validation ?? classes.train, indices.validation), remedy);
  }
  return others;
}
