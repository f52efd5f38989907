import { gainOf, type Metric } from "../../tasks/metric.ts";
import type { Mark } from "../browser/data.ts";
import { axisOf } from "../charts/axis.ts";
import { type Drawing, picture } from "../charts/picture.ts";
import { type Place, placeOf, plotFrame, plotGrid, plotSizes, toTenths } from "../charts/plot-frame.ts";
import { significant } from "../page/format.ts";
import { type Markup, markup, shorten } from "../page/markup.ts";
import { paretoFront } from "./pareto.ts";
import type { Spread } from "./spread.ts";
import { symbol } from "./symbols.ts";

/** A configuration, or a published result, in the plot. */
export interface PlottedPoint {
  readonly label: string;
  /** Its symbol and colour. */
  readonly method: string;
  readonly cost: Spread;
  readonly value: Spread;
  /** One mark for each run: where it lies, and what hovering tells. */
  readonly runs: readonly { readonly cost: number; readonly value: number; readonly mark: Mark }[];
  /** References take no part in the front. */
  readonly reference: boolean;
}

export interface ParetoFigure {
  readonly id: string;
  readonly title: string;
  /** Name of the horizontal axis. */
  readonly cost: string;
  readonly points: readonly PlottedPoint[];
  /** What the points' values are of. */
  readonly metric: Metric;
  /** In the order of their symbols. */
  readonly methods: readonly string[];
  readonly note?: Markup | string;
}

/** A metric against cost: every run, every configuration's mean and spread, and the front of the means. */
export function paretoFigure({ id, title, cost, points, metric, methods, note }: ParetoFigure): Markup {
  const runs = points.flatMap((point) => point.runs.map((run) => ({ point, ...run })));
  const front = paretoFront(
    points
      .filter(({ reference }) => !reference)
      .map((point) => ({ point, cost: point.cost.mean, gain: gainOf(metric, point.value.mean) })),
  );
  const axes = {
    x: axisOf(
      points.flatMap(({ cost }) => [cost.least, cost.most]),
      { logarithmic: true },
    ),
    y: axisOf(points.flatMap(({ value }) => [value.least, value.most])),
  };
  const onFront = new Set(front.map(({ point }) => point));
  return picture({
    id,
    title,
    summary: `${title}. On the front, by rising cost: ${front.map(({ point }) => `${shorten(point.label, 40)}, ${significant(point.cost.mean)}, ${significant(point.value.mean, 4)}${metric.unit === "%" ? " percent" : ""}`).join("; ")}.`,
    marks: runs.map(({ mark }) => mark),
    wide: drawing(plotSizes.wide),
    narrow: drawing(plotSizes.narrow),
    key: markup`<ul class="key">${methods.map((method, index) => markup`<li><svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">${symbol(method, index)}</svg><bdi>${shorten(method, 40)}</bdi></li>`)}<li><svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path d="M0 9H11V3H22" fill="none" stroke="var(--accent)" stroke-width="1.5"/></svg>Pareto front</li></ul>`,
    ...(note !== undefined && { note }),
  });

  function drawing(size: { readonly width: number; readonly height: number }): Drawing {
    const place = placeOf(axes, size);
    const { x, y } = place;
    const steps = front.map(
      ({ point, cost }, index) => `${index === 0 ? `M${x(cost)} ` : `H${x(cost)}V`}${y(point.value.mean)}`,
    );
    return {
      ...size,
      content: markup`${plotGrid(axes, place, cost)}<path d="${steps.join("")}H${size.width - plotFrame.right}" fill="none" stroke="var(--accent)" stroke-width="1.5"/>
${points.map((point) => spread(point, place))}
${runs.map(({ point, cost, value }, index) => markup`<g data-i="${index}" transform="translate(${x(cost)} ${y(value)})"${point.runs.length > 1 && !point.reference ? markup` opacity="0.8"` : null}>${symbol(point.method, methods.indexOf(point.method))}</g>`)}
${front.map(({ point, cost }) => markup`<circle cx="${x(cost)}" cy="${y(point.value.mean)}" r="8" fill="none" stroke="var(--accent)" stroke-width="1.5"/>`)}
${labels(points, onFront, place)}`,
    };
  }
}

/** Least to most of the seeds, both ways, through their mean. */
function spread({ cost, value, runs, reference }: PlottedPoint, { x, y }: Place): Markup | null {
  if (runs.length < 2 || reference) return null;
  return markup`<path d="M${x(cost.least)} ${y(value.mean)}H${x(cost.most)}M${x(cost.mean)} ${y(value.least)}V${y(value.most)}" stroke="var(--ink)" stroke-width="1" fill="none"/>`;
}

/** Names beside the points, those of the front and of references first; what would cover another is left out. */
function labels(points: readonly PlottedPoint[], onFront: ReadonlySet<PlottedPoint>, place: Place): Markup[] {
  const taken: { left: number; right: number; y: number }[] = points
    .flatMap(({ runs }) => runs)
    .map(({ cost, value }) => ({ left: place.x(cost) - 4, right: place.x(cost) + 4, y: place.y(value) + 4 }));
  const first = (point: PlottedPoint) => (onFront.has(point) || point.reference ? 0 : 1);
  return points
    .toSorted((one, other) => first(one) - first(other))
    .flatMap((point) => {
      const text = shorten(point.label, 26);
      const wide = (onFront.has(point) ? 7 : 6.2) * text.length;
      const at = { x: place.x(point.cost.mean), y: place.y(point.value.mean) };
      for (const [dx, dy] of [
        [10, -7],
        [10, 15],
        [-10 - wide, -7],
        [-10 - wide, 15],
      ] as const) {
        const box = { left: at.x + dx, right: at.x + dx + wide, y: at.y + dy };
        const inside =
          box.left >= plotFrame.left &&
          box.right <= place.width - 2 &&
          box.y > 10 &&
          box.y < place.height - plotFrame.bottom - 2;
        if (
          !inside ||
          taken.some((other) => other.left < box.right && box.left < other.right && Math.abs(other.y - box.y) < 12)
        )
          continue;
        taken.push(box);
        return [
          markup`<text x="${toTenths(box.left)}" y="${toTenths(box.y)}" font-size="11" fill="var(--ink)" stroke="var(--paper)" stroke-width="4" stroke-linejoin="round" paint-order="stroke">${text}</text>`,
        ];
      }
      return [];
    });
}
