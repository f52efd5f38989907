import { significant } from "../page/format.ts";
import { type Markup, shorten } from "../page/markup.ts";
import { drawChart } from "./chart.ts";
import { type Figure, figure, seriesColour } from "./figure.ts";

/** Horizontal bars, grouped by category, each with its value. */
export function barFigure(chart: Figure): Markup {
  const { categories, series, unit } = chart;
  const height = 16 + categories.length * (series.length * 15 + 12);
  const text = { color: "var(--ink)", fontSize: 11, fontFamily: "inherit" };
  const option = {
    grid: { left: 4, right: 56, top: 4, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "value", show: false, min: 0 },
    yAxis: {
      type: "category",
      inverse: true,
      data: categories.map((name) => shorten(name, 18)),
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
  return figure(chart, {
    kind: "bar",
    draw: (id, width) => drawChart(id, option, { width, height, axis: "y", categories: categories.length }),
  });
}
