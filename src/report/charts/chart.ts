import type { EChartsCoreOption } from "echarts/core";
// One file instead of its 500: that takes a tenth of the time to load.
import { init } from "echarts/dist/echarts.esm.min.mjs";

export interface DrawnChart {
  readonly width: number;
  readonly height: number;
  /** The elements inside the svg element. */
  readonly content: string;
  /** Pixels of the first and the last category on the category axis, for the page's script to find values by. */
  readonly first: number;
  readonly last: number;
}

export interface ChartFrame {
  readonly width: number;
  readonly height: number;
  readonly axis: "x" | "y";
  readonly categories: number;
  readonly attributesOf?: (series: number, index: number) => string;
}

/**
 * Draws an ECharts option as SVG elements. Colours may be CSS variables: one drawing serves light, dark and print.
 *
 * @param id prefix of the ids inside, unique in the page.
 * @param axis the axis that holds the categories, and their number.
 * @param attributesOf What the element of a series' value gets as attributes, for the page's script.
 */
export function drawChart(
  id: string,
  option: EChartsCoreOption,
  { width, height, axis, categories, attributesOf = () => "" }: ChartFrame,
): DrawnChart {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    const finder = axis === "x" ? { xAxisIndex: 0 } : { yAxisIndex: 0 };
    const pixel = (index: number) => Number(chart.convertToPixel(finder, index));
    return {
      width,
      height,
      content: cleaned(chart.renderToSVGString(), id, attributesOf),
      first: pixel(0),
      last: pixel(Math.max(0, categories - 1)),
    };
  } finally {
    chart.dispose();
  }
}

/**
 * What ECharts adds for its own script is not valid HTML, and a Content-Security-Policy with hashes forbids style
 * attributes: sizes become presentation attributes, the rest goes. Text and names are escaped by ECharts, quotes
 * included, so that these patterns meet attributes only. Its ids count up over the process; ours do not.
 */
function cleaned(svg: string, id: string, attributesOf: NonNullable<ChartFrame["attributesOf"]>): string {
  return svg
    .replace(/^<svg[^>]*>\s*/, "")
    .replace(/\s*<\/svg>\s*$/, "")
    .replace(/<style\s*>[\s\S]*?<\/style>/g, "")
    .replace(/^<rect [^>]*fill="none"[^>]*><\/rect>\s*/, "")
    .replace(/ style="([^"]*)"/g, (_, style: string) => {
      const size = /font-size:\s*([\d.]+)px/.exec(style)?.[1];
      const weight = /font-weight:\s*(\w+)/.exec(style)?.[1];
      return `${size ? ` font-size="${size}"` : ""}${weight ? ` font-weight="${weight}"` : ""}`;
    })
    .replace(/ ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"/g, (_, series: string, index: string) =>
      attributesOf(Number(series), Number(index)),
    )
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, "")
    .replace(/zr\d+-/g, `${id}-`)
    .replace(/<defs\s*>\s*<\/defs>/g, "")
    .trim();
}
