import type { AxisData } from "./data.ts";
import { dataText, lazily, make } from "./dom.ts";
import { type Plot, shownPicture, walkByKeys } from "./plots.ts";
import { type Axis, indexAt, pixelOf } from "./positions.ts";
import { hideTip, type Place, showTip } from "./tip.ts";

/** How far below a line chart's upper edge keys show the values, in pixels. */
const below = 40;

/** A chart along an axis of categories tells the values at the nearest one; lines have a cursor. */
export function setUpAxisChart({ figure, plot }: Plot): void {
  const read = lazily((): AxisData => JSON.parse(dataText(`${figure.id}-data`)));
  const count = () => read().categories.length;
  const isLine = figure.dataset.axis === "x";
  const cursor = plot.appendChild(make("div", { class: "cursor", hidden: "" }));
  let told: number | null = null;
  const show = (index: number, pointer?: Place) => {
    const svg = shownPicture(plot);
    if (svg === null) return;
    told = index;
    const { category, categories, series, unit } = read();
    const box = svg.getBoundingClientRect();
    const pixel = pixelOf(axisOf(svg, count()), index);
    cursor.hidden = !isLine;
    cursor.style.left = `${pixel}px`;
    showTip(
      `${category} ${categories[index]}`,
      series.map(({ name, values }) => [name, say(values[index], unit)]),
      pointer ??
        (isLine ? { x: box.left + pixel, y: box.top + below } : { x: box.left + box.width / 2, y: box.top + pixel }),
    );
  };
  const hide = () => {
    cursor.hidden = true;
    hideTip();
  };
  plot.addEventListener("pointermove", ({ clientX: x, clientY: y }) => {
    const svg = shownPicture(plot);
    if (svg === null) return;
    const box = svg.getBoundingClientRect();
    show(indexAt(axisOf(svg, count()), isLine ? x - box.left : y - box.top), { x, y });
  });
  walkByKeys({ figure, plot }, { count, at: () => told ?? count() - 1, show, hide });
}

/** The axis as it is shown: a drawing is as wide as the page lets it be. */
function axisOf(svg: SVGSVGElement, count: number): Axis {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const { first, last } = svg.dataset;
  return { first: Number(first) * scale, last: Number(last) * scale, count };
}

const say = (value: number | null | undefined, unit: string): string =>
  value === null || value === undefined ? "–" : `${value}${unit}`;
