import { powerOfTen } from "../../core/powers.ts";
import { significant } from "../page/format.ts";
import type { Markup } from "../page/markup.ts";
import { logarithmicTicks } from "./axis.ts";
import { type DrawnChart, drawChart } from "./chart.ts";
import { dashes, type Figure, figure, seriesColour } from "./figure.ts";

export interface LineFigure extends Figure {
  /** Logarithmic where all values are positive; linear otherwise. */
  readonly logarithmic?: boolean;
  /** The axis begins a little below, and what lies further below stands at its beginning. */
  readonly least?: number;
  /** Whether a value holds until the next one: lines go in steps. */
  readonly stepped?: boolean;
  /** Epochs at which something begins: an upright line at each. */
  readonly borders?: readonly number[];
}

const height = 220;

/** Few points are marked one by one; many would hide the line. */
const markedPoints = 20;

/** Curves over the epochs. */
export function lineFigure(chart: LineFigure): Markup {
  return figure(chart, { kind: "line", draw });
}

function draw(
  id: string,
  width: number,
  { categories, series, logarithmic, dots = 0, least, stepped = false, borders = [] }: LineFigure,
): DrawnChart {
  const values = series.flatMap((one) => one.values.filter((value) => value !== null));
  const asLogarithm = logarithmic === true && values.length > 0 && values.every((value) => value > 0);
  const bounds = asLogarithm ? logarithmicBounds(values) : null;
  const labelled = bounds && { customValues: [...logarithmicTicks([bounds.min, bounds.max])] };
  const label = { color: "var(--muted)", fontSize: 11, fontFamily: "inherit" };
  const lines = series.length - dots;
  const floor = least === undefined ? Number.NEGATIVE_INFINITY : least - 0.05 * (Math.max(...values) - least);
  const lineOf = (index: number) => ({
    type: "line",
    connectNulls: false,
    symbol: "circle",
    symbolSize: 5,
    showSymbol: dots === 0 && categories.length <= markedPoints,
    step: stepped ? "end" : false,
    lineStyle: { color: seriesColour(index), width: 2, type: dashes[index % dashes.length] },
    itemStyle: { color: seriesColour(index), borderWidth: 0 },
  });
  const option = {
    grid: { left: 6, right: 14, top: 10, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: "category",
      data: categories,
      boundaryGap: false,
      axisLabel: { ...label, hideOverlap: true, interval: labelInterval(categories.length, width) },
      axisLine: { onZero: false, lineStyle: { color: "var(--axis)" } },
      axisTick: { show: false },
    },
    yAxis: {
      type: asLogarithm ? "log" : "value",
      scale: true,
      ...bounds,
      ...(least !== undefined && { min: floor }),
      splitNumber: 4,
      axisTick: { show: false, ...labelled },
      axisLabel: {
        ...label,
        ...labelled,
        ...(least !== undefined && { showMinLabel: false }),
        formatter: (value: number) => significant(value, 4),
      },
      splitLine: { lineStyle: { color: "var(--rule)" }, ...labelled },
    },
    series: series.map(({ values }, index) => ({
      data: values.map((value) => (value === null ? null : Math.max(value, floor))),
      silent: true,
      emphasis: { disabled: true },
      ...(index < lines ? lineOf(index) : dotsOf(index - lines)),
      ...(index === 0 && { markLine: bordersAt(borders, categories) }),
    })),
  };
  return drawChart(id, option, { width, height, axis: "x", categories: categories.length });
}

/** In the colour of a line, which they do not cover. */
const dotsOf = (line: number) => ({
  type: "scatter",
  symbolSize: 5,
  itemStyle: { color: seriesColour(line), opacity: 0.55, borderWidth: 0 },
});

/** Upright lines at the first drawn category that is no less than each border. */
const bordersAt = (borders: readonly number[], categories: readonly string[]) => ({
  silent: true,
  symbol: "none",
  animation: false,
  label: { show: false },
  lineStyle: { color: "var(--axis)", width: 1, type: [3, 3] },
  data: borders.flatMap((border) => {
    const at = categories.findIndex((category) => Number(category) >= border);
    return at < 0 ? [] : [{ xAxis: at }];
  }),
});

/** Every how many epochs one is labelled, so that labels have some 44 pixels each. */
const labelInterval = (count: number, width: number): number => Math.max(0, Math.ceil((count * 44) / width) - 1);

/** Bounds at 1, 2 or 5 times a power of ten: whole powers would leave most of the chart empty. */
function logarithmicBounds(values: readonly number[]): { readonly min: number; readonly max: number } {
  const steps = [1, 2, 5, 10];
  const power = (value: number) => powerOfTen(Math.floor(Math.log10(value)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const below = steps.findLast((step) => step * power(low) <= low * (1 + 1e-9)) ?? 1;
  const above = steps.find((step) => step * power(high) >= high * (1 - 1e-9)) ?? 10;
  return { min: below * power(low), max: above * power(high) };
}
