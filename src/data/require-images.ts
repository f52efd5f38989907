import { UsageError } from "../core/errors.ts";
import type { Dataset, ImageDataset } from "./dataset.ts";

const isOfImages = (dataset: Dataset): dataset is ImageDataset => dataset.normalization !== null;

/**
 * A data set for what works on images alone.
 *
 * @param what Names that, as a setting or a command.
 * @throws UsageError for texts.
 */
export function requireImages(dataset: Dataset, what: string): ImageDataset {
  if (isOfImages(dataset)) return dataset;
  throw new UsageError(`${what}: expected data of images, data.name ${dataset.name} gives texts`);
}
