import { distinctNames } from "../page/distinct-names.ts";
import { significant } from "../page/format.ts";
import type { Markup } from "../page/markup.ts";
import { type DrawnChart, drawChart } from "./chart.ts";
import { type Figure, figure, seriesColour } from "./figure.ts";
import { roomFor } from "./room-for.ts";

/** Horizontal bars, grouped by category, each with its value. */
export function barFigure(chart: Figure): Markup {
  return figure(chart, { kind: "bar", draw });
}

/** Letters of a category's name, by the width of the chart. */
const nameLength = (width: number): number => (width > 400 ? 24 : 18);

function draw(id: string, width: number, { categories, series, unit }: Figure): DrawnChart {
  const height = 16 + categories.length * (series.length * 15 + 12);
  const text = { color: "var(--ink)", fontSize: 11, fontFamily: "inherit" };
  const names = distinctNames(categories, nameLength(width));
  const option = {
    // Its own estimate of the names' width is that of a narrower font: they would be cut at the left.
    grid: { left: 12 + Math.max(0, ...names.map(roomFor)), right: 56, top: 4, bottom: 4, outerBoundsMode: "none" },
    xAxis: { type: "value", show: false, min: 0 },
    yAxis: {
      type: "category",
      inverse: true,
      data: names,
      axisLabel: { ...text, interval: 0 },
      axisLine: { lineStyle: { color: "var(--axis)" } },
      axisTick: { show: false },
    },
    series: series.map(({ values }, index) => ({
      type: "bar",
      data: values,
      silent: true,
      emphasis: { disabled: true },
      barWidth: 12,
      barGap: "25%",
      itemStyle: { color: seriesColour(index) },
      label: {
        show: true,
        position: "right",
        ...text,
        formatter: ({ value }: { value: unknown }) => `${significant(Number(value))}${unit}`,
      },
    })),
  };
  return drawChart(id, option, { width, height, axis: "y", categories: categories.length });
}
