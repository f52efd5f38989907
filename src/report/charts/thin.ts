import type { AxisData } from "../browser/data.ts";

/** More points than this are not told apart on a screen, and make the page slow. */
export const drawnPoints = 200;

/** Which of `count` positions are drawn: at most `most`, evenly spaced, the first and the last among them. */
export function thin(count: number, most: number): readonly number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (count - 1)) / (most - 1)));
}

/** A figure with the categories that are drawn. */
export function thinned<F extends Pick<AxisData, "categories" | "series">>(figure: F): F {
  const { categories, series } = figure;
  const drawn = thin(categories.length, drawnPoints);
  if (drawn.length === categories.length) return figure;
  return {
    ...figure,
    categories: drawn.flatMap((index) => categories[index] ?? []),
    series: series.map(({ name, values }) => ({ name, values: drawn.map((index) => values[index] ?? null) })),
  };
}
