import { significant } from "../page/format.ts";
import { type Markup, markup } from "../page/markup.ts";
import type { Axis } from "./axis.ts";

/** Sizes of a plot of points, in pixels: in a column of a desktop, and on a phone. */
export const plotSizes = { wide: { width: 500, height: 340 }, narrow: { width: 316, height: 280 } } as const;

/** Room beside the points, in pixels. */
export const plotFrame = { left: 44, right: 12, top: 8, bottom: 40 } as const;

export interface PlotAxes {
  readonly x: Axis;
  readonly y: Axis;
}

/** Where values lie in a plot, in pixels. */
export interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly width: number;
  readonly height: number;
}

export const toTenths = (value: number): number => Math.round(value * 10) / 10;

export function placeOf(axes: PlotAxes, { width, height }: { readonly width: number; readonly height: number }): Place {
  const { left, right, top, bottom } = plotFrame;
  return {
    ...{ width, height },
    x: (value) => toTenths(left + axes.x.at(value) * (width - left - right)),
    y: (value) => toTenths(height - bottom - axes.y.at(value) * (height - top - bottom)),
  };
}

/** A front from point to point, by rising cost, and on to the right. @param points In pixels. */
export function frontLine(points: readonly { readonly x: number; readonly y: number }[], { width }: Place): Markup {
  const steps = points.map(({ x, y }, index) => (index === 0 ? `M${x} ${y}` : `H${x}V${y}`));
  const path = steps.length === 0 ? "" : `${steps.join("")}H${width - plotFrame.right}`;
  return markup`<path d="${path}" fill="none" stroke="var(--accent)" stroke-width="1.5"/>`;
}

/** Lines and labels of both axes. @param name Of the horizontal axis. */
export function plotGrid(axes: PlotAxes, { x, y, width, height }: Place, name: string): Markup {
  const text = (at: number, up: number, anchor: string, content: string) =>
    markup`<text x="${at}" y="${up}" text-anchor="${anchor}" font-size="11" fill="var(--muted)">${content}</text>`;
  const { left, right, bottom } = plotFrame;
  const base = height - bottom;
  const small = (tick: number) => (tick < 1e-3 ? tick.toExponential() : significant(tick));
  const label = (tick: number) => (axes.y.logarithmic ? small(tick) : String(tick));
  return markup`${axes.y.ticks.map((tick) => markup`<path d="M${left} ${y(tick)}H${width - right}" stroke="var(--rule)"/>${text(left - 6, y(tick) + 4, "end", label(tick))}`)}
<path d="M${left} ${base}H${width - right}" stroke="var(--axis)"/>
${axes.x.ticks.map((tick) => markup`<path d="M${x(tick)} ${base}v4" stroke="var(--axis)"/>${text(x(tick), base + 16, "middle", significant(tick))}`)}
${text((left + width - right) / 2, height - 6, "middle", axes.x.logarithmic ? `${name} (logarithmic)` : name)}`;
}
