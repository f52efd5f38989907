import type { StripData } from "../browser/data.ts";
import { type BitWidth, bitColour } from "../page/chips.ts";
import { dataBlock, type Markup, markup, trusted } from "../page/markup.ts";
import { thin } from "./thin.ts";

/** A run of neighbouring cells that look the same. */
interface Run<V extends number> {
  readonly start: number;
  readonly length: number;
  readonly value: V;
}

/** Equal neighbours merged, so that many cells cost no more than what changes in them. */
export function runsOf<V extends number>(values: readonly V[]): readonly Run<V>[] {
  const runs: Run<V>[] = [];
  for (const [start, value] of values.entries()) {
    const last = runs.at(-1);
    if (last?.value === value) runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push({ start, length: 1, value });
  }
  return runs;
}

/** A strip is less than 100 pixels wide: more cells would not be seen. */
const stripCells = 96;

/** The cells of a strip of `count` values that are drawn, the last among them. */
export const stripThin = (count: number): readonly number[] => thin(count, stripCells);

/** Shades of the heat map; finer ones cannot be told apart. */
const shades = 20;

/** Where the page's script finds the exact values of a strip: data block, row and key in it. */
export interface StripSource {
  readonly block: string;
  readonly row: number;
  readonly key: string;
}

export const stripData = (block: string, data: StripData): Markup =>
  dataBlock(block, {
    ...data,
    rows: data.rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, values]) => [key, values.map(rounded)])),
    ),
  });

const rounded = (value: number): number => Number(value.toPrecision(4));

const strip = (length: number, cells: string, { block, row, key }: StripSource, kind = ""): Markup =>
  markup`<svg class="strip${kind}" viewBox="0 0 ${Math.max(1, length)} 1" preserveAspectRatio="none" shape-rendering="crispEdges" aria-hidden="true" data-strip="${block} ${row} ${key}">${trusted(cells)}</svg>`;

/** One stroke for each value that occurs: a page may have thousands of strips. */
function strokes<V extends number>(values: readonly V[], stroke: (value: V) => string | null): string {
  const paths = new Map<V, string>();
  for (const { start, length, value } of runsOf(values)) {
    paths.set(value, `${paths.get(value) ?? ""}M${start} .5h${length}`);
  }
  return Array.from(paths, ([value, path]) => {
    const attributes = stroke(value);
    return attributes === null ? "" : `<path d="${path}" ${attributes}/>`;
  }).join("");
}

/** One row of a heat map: probabilities by epoch or channel. */
export function heatStrip(
  probabilities: readonly number[],
  source: StripSource,
  { long = false }: { readonly long?: boolean } = {},
): Markup {
  const cells = strokes(
    probabilities.map((probability) => Math.round(probability * shades)),
    (value) =>
      value === 0
        ? null
        : `stroke="var(--heat)"${value < shades ? ` stroke-opacity="${Number((value / shades).toFixed(2))}"` : ""}`,
  );
  return strip(probabilities.length, cells, source, long ? " long" : "");
}

/** Bit-widths by epoch or channel, each in its colour. */
export const bitStrip = (
  bits: readonly BitWidth[],
  source: StripSource,
  { long = false }: { readonly long?: boolean } = {},
): Markup =>
  strip(
    bits.length,
    strokes(bits, (value) => `stroke="${bitColour(value)}"`),
    source,
    long ? " long" : "",
  );
