/**
 * Text of an SVG in which variables have become the values that they have in the page; unknown ones stay.
 *
 * Example: `fill="var(--ink)"` where --ink is #171b21 → `fill="#171b21"`.
 */
export const withoutVariables = (svg: string, colourOf: (name: string) => string): string =>
  svg.replace(/var\((--[\w-]+)\)/g, (whole, name: string) => colourOf(name).trim() || whole);
