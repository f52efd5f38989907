import { at } from "../../core/elements.ts";

/** How many interquartile ranges below the lower quartile a value is an outlier. */
const whisker = 1.5;

/**
 * The least value that is no outlier by Tukey's rule (Exploratory Data Analysis, 1977); null where none lies below it.
 * Beside the search for an optimum most policies are poor, and a few would squash all others.
 */
export function lowerFence(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((one, other) => one - other);
  const quantile = (share: number) => at(sorted, Math.floor(share * (sorted.length - 1)));
  const [lower, upper] = [quantile(0.25), quantile(0.75)];
  const fence = lower - whisker * (upper - lower);
  const least = sorted.find((value) => value >= fence);
  return upper === lower || least === undefined || least === at(sorted, 0) ? null : least;
}
