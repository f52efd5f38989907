import { type BitWidth, bitColour } from "./chips.ts";
import { type Markup, markup, trusted } from "./markup.ts";

/** A run of neighbouring epochs that look the same. */
interface Run {
  readonly start: number;
  readonly length: number;
  readonly value: number;
}

/** Equal neighbours merged, so that a thousand epochs cost no more than what changes in them. */
export function runsOf(values: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const [start, value] of values.entries()) {
    const last = runs.at(-1);
    if (last?.value === value) runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push({ start, length: 1, value });
  }
  return runs;
}

/** Shades of the heat map; finer ones cannot be told apart. */
const shades = 20;

const strip = (length: number, rects: readonly string[], name: Markup): Markup =>
  markup`<svg class="strip" viewBox="0 0 ${Math.max(1, length)} 1" preserveAspectRatio="none" shape-rendering="crispEdges" aria-hidden="true"${name}>${trusted(rects.join(""))}</svg>`;

/** One row of a heat map: probabilities by epoch. `index` finds the exact values in the page's data. */
export function heatStrip(probabilities: readonly number[], index: string): Markup {
  const rects = runsOf(probabilities.map((probability) => Math.round(probability * shades)))
    .filter(({ value }) => value > 0)
    .map(
      ({ start, length, value }) =>
        `<rect x="${start}" width="${length}" height="1" fill="var(--heat)"${value < shades ? ` fill-opacity="${value / shades}"` : ""}/>`,
    );
  return strip(probabilities.length, rects, markup` data-strip="${index}"`);
}

/** Bit-widths by epoch, each in its colour. */
export function bitStrip(bits: readonly BitWidth[], index: string): Markup {
  const rects = runsOf(bits).map(
    ({ start, length, value }) =>
      `<rect x="${start}" width="${length}" height="1" fill="${bitColour(value as BitWidth)}"/>`,
  );
  return strip(bits.length, rects, markup` data-strip="${index}"`);
}
