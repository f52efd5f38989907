import { UsageError } from "../core/errors.ts";
import type { Dataset, ImageDataset } from "./dataset.ts";

type Kept = "name" | "imageShape" | "normalization" | "tokens";

const isOfImages = <Data extends Pick<Dataset, Kept>>(dataset: Data): dataset is Data & Pick<ImageDataset, Kept> =>
  dataset.normalization !== null;

/** @throws UsageError for texts, with the name of what takes none. */
export function refuseTexts({ name, tokens }: Pick<Dataset, "name" | "tokens">, what: string): void {
  if (tokens !== undefined)
    throw new UsageError(`${what}: expected data of images or of values, data.name ${name} gives texts`);
}

/**
 * A data set for what works on images alone.
 *
 * @param what Names that, as a setting or a command.
 * @throws UsageError for texts and values.
 */
export function requireImages<Data extends Pick<Dataset, Kept>>(
  dataset: Data,
  what: string,
): Data & Pick<ImageDataset, Kept> {
  if (isOfImages(dataset)) return dataset;
  throw new UsageError(
    `${what}: expected data of images, data.name ${dataset.name} gives ${dataset.tokens === undefined ? "values that are no pixels" : "texts"}`,
  );
}
