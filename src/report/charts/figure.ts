import type { AxisData, MarkData } from "../browser/data.ts";
import { dataBlock, type Markup, type MarkupValue, markup, shorten, trusted } from "../page/markup.ts";
import type { DrawnChart } from "./chart.ts";
import { thinned } from "./thin.ts";

export type Series = AxisData["series"][number];

export interface Figure {
  /** Unique in the page; also the name of the saved file. */
  readonly id: string;
  readonly title: string;
  /** Said after every value: " %"; empty for plain numbers. */
  readonly unit: string;
  /** What the categories are, singular: "epoch", "layer". */
  readonly category: string;
  readonly categories: readonly string[];
  readonly series: readonly Series[];
  /** So many of the series of a line chart, the last ones, are dots, in the colours of the first ones. */
  readonly dots?: number;
  /** A sentence below the chart. */
  readonly note?: Markup | string;
}

/** Lines and bars of one chart; more would not be told apart. */
export const seriesPerFigure = 6;

/** Widths in pixels at which a chart is drawn: in a column of a desktop, and on a phone. */
export const widths = { wide: 460, narrow: 316 } as const;

/** Line patterns beside the colours, so that no series is told by its colour alone. */
export const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [9, 3, 2, 3], [12, 3], [4, 4]];

/** The colour of the n-th series, which differs between light and dark. */
export const seriesColour = (index: number): string => `var(--series-${(index % seriesPerFigure) + 1})`;

export interface FigureFrame {
  readonly id: string;
  readonly title: string;
  /** How the page's script finds values: along an axis of categories, or mark by mark. */
  readonly axis: "x" | "y" | "marks";
  readonly key: MarkupValue;
  readonly plot: Markup;
  readonly note: MarkupValue;
  readonly data: AxisData | MarkData;
}

/** What all charts have: title, key, picture, note, and the values for the page's script. */
export const figureFrame = ({ id, title, axis, key, plot, note, data }: FigureFrame): Markup =>
  markup`<figure class="chart" id="${id}" data-axis="${axis}">
<figcaption>${title}</figcaption>
${key}
<div class="plot">
${plot}
</div>
${note && markup`<p class="note">${note}</p>`}
${dataBlock(`${id}-data`, data)}
</figure>`;

/**
 * A chart in two widths, its key in HTML, and its values for the page's script. Of many categories some are drawn, the
 * last always.
 */
export function figure<F extends Figure>(
  whole: F,
  { kind, draw }: { kind: "line" | "bar"; draw: (id: string, width: number, chart: F) => DrawnChart },
): Markup {
  const chart = kind === "line" ? thinned(whole) : whole;
  const { id, title, unit, category, categories, series, dots = 0, note } = chart;
  const summary = `${title}, by ${category}. ${series.map((one) => summaryOf(one, kind, categories, unit)).join("; ")}.`;
  const left = whole.categories.length - categories.length;
  return figureFrame({
    id,
    title,
    axis: kind === "line" ? "x" : "y",
    key: series.length > 1 && key(series, kind, dots),
    plot: markup`${svg(draw(`${id}-w`, widths.wide, chart), "wide", summary)}
${svg(draw(`${id}-n`, widths.narrow, chart), "narrow", summary)}`,
    note: left > 0 ? markup`${note} ${categories.length} of ${whole.categories.length} ${category}s are drawn.` : note,
    data: {
      category,
      unit,
      categories: categories.map((name) => shorten(name, 60)),
      series: series.map(({ name, values }) => ({ name: shorten(name, 60), values: values.map(exact) })),
    },
  });
}

/** Six significant digits: what a reader may want to copy, not the noise of a float64. */
const exact = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(6)));

function summaryOf({ name, values }: Series, kind: "line" | "bar", categories: readonly string[], unit: string) {
  const say = (value: number | null | undefined) =>
    value === null || value === undefined ? "none" : `${Number(value.toPrecision(4))}${unit}`;
  const label = shorten(name, 60);
  if (kind === "line") return `${label}: from ${say(values[0])} to ${say(values.at(-1))}`;
  return `${label}: ${values.map((value, index) => `${shorten(categories[index] ?? "", 40)} ${say(value)}`).join(", ")}`;
}

/** A drawn chart as an element; `size` says at which widths of the page it is shown. */
export function svg(
  { width, height, content, first, last }: DrawnChart,
  size: "wide" | "narrow" | "any",
  summary: string,
): Markup {
  return markup`<svg class="${size}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}" data-first="${first.toFixed(1)}" data-last="${last.toFixed(1)}">${trusted(content)}</svg>`;
}

function key(series: readonly Series[], kind: "line" | "bar", dots: number): Markup {
  const lines = series.length - dots;
  const swatch = (index: number) =>
    index >= lines
      ? markup`<circle cx="11" cy="6" r="3" fill="${seriesColour(index - lines)}" fill-opacity="0.55"/>`
      : kind === "bar"
        ? markup`<rect y="2" width="10" height="8" fill="${seriesColour(index)}"/>`
        : markup`<path d="M0 6H22" fill="none" stroke="${seriesColour(index)}" stroke-width="2" stroke-dasharray="${(dashes[index % dashes.length] ?? []).join(" ")}"/>`;
  const size = kind === "bar" ? 10 : 22;
  return markup`<ul class="key">${series.map(
    ({ name }, index) =>
      markup`<li><svg width="${size}" height="12" viewBox="0 0 ${size} 12" aria-hidden="true">${swatch(index)}</svg><bdi>${shorten(name, 60)}</bdi></li>`,
  )}</ul>`;
}
