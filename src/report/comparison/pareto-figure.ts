import { gainOf, type Metric } from "../../tasks/metric.ts";
import { axisOf, heldAxis } from "../charts/axis.ts";
import { frontKey, lineKey, markKey } from "../charts/key.ts";
import { methodLooks } from "../charts/method-marks.ts";
import { paretoFront } from "../charts/pareto.ts";
import { type Drawing, picture } from "../charts/picture.ts";
import { frontLine, type Place, placeOf, plotGrid, plotSizes } from "../charts/plot-frame.ts";
import { arrow } from "../charts/symbols.ts";
import { significant } from "../page/format.ts";
import { type Markup, markup, shorten } from "../page/markup.ts";
import { shown } from "../page/metrics.ts";
import { ofRuns } from "../page/table.ts";
import { leastDrawn } from "./outliers.ts";
import { labels } from "./pareto-labels.ts";
import { ofPoint, type PlottedPoint, type PlottedRun, pointSymbol } from "./plotted-point.ts";

export interface ParetoFigure {
  readonly id: string;
  readonly title: string;
  /** Name of the horizontal axis. */
  readonly cost: string;
  readonly points: readonly PlottedPoint[];
  /** What the points' values are of. */
  readonly metric: Metric;
}

/** A run of a point, as it is drawn. */
interface Drawn extends PlottedRun {
  readonly point: PlottedPoint;
  readonly number: number | undefined;
}

/**
 * A metric against cost: every run with its interval, every configuration's mean and spread, and the front of the means.
 * What lies so far below the others that it would squash them is drawn at the edge, and named.
 */
export function paretoFigure({ id, title, cost, points, metric }: ParetoFigure): Markup {
  const runs = points.flatMap((point) =>
    point.runs.map((run, index): Drawn => ({ point, number: point.numbers[index], ...run })),
  );
  const front = paretoFront(
    points
      .filter(({ method }) => method !== null)
      .map((point) => ({ point, cost: point.cost.mean, gain: gainOf(metric, point.value.mean) })),
  );
  const gain = ({ value }: PlottedRun) => gainOf(metric, value);
  const least = leastDrawn(runs.map(gain), Math.min(...runs.map(({ interval }) => halfOf(interval))));
  const isBeyond = (run: PlottedRun) => least !== null && gain(run) < least;
  const beyond = runs.filter(isBeyond);
  const axes = {
    x: axisOf(
      runs.map(({ cost }) => cost),
      { logarithmic: true },
    ),
    y: heldAxis(
      axisOf(runs.filter((run) => !isBeyond(run)).flatMap(({ value, interval }) => [value, ...(interval ?? [])])),
    ),
  };
  const onFront = new Set(front.map(({ point }) => point));
  const hasIntervals = runs.some(({ interval }) => interval !== null);
  return picture({
    id,
    title,
    summary: `${title}. On the front, by rising cost: ${front.map(({ point }) => `${shorten(point.label, 40)}, ${significant(point.cost.mean)}, ${significant(point.value.mean, 4)}${metric.unit === "%" ? " percent" : ""}`).join("; ")}.`,
    marks: runs.map(({ mark }) => mark),
    wide: drawing(plotSizes.wide),
    narrow: drawing(plotSizes.narrow),
    key: markup`<ul class="key">${keyOf(points)}${hasIntervals && lineKey({ path: "M6 1V11M3 1H9M3 11H9", colour: "var(--muted)" }, "95\u202f% interval")}${frontKey("Pareto front")}</ul>`,
    ...(beyond.length > 0 && {
      note: `At the edge, because ${beyond.length === 1 ? "it lies" : "they lie"} far ${metric.better === "higher" ? "below" : "above"}: ${beyond
        .slice(0, saidBeyond)
        .map(({ point, value }) => `${shorten(point.label, 40)}, ${shown(metric, value)}`)
        .join("; ")}${beyond.length > saidBeyond ? `; and ${beyond.length - saidBeyond} more` : ""}.`,
    }),
  });

  function drawing(size: { readonly width: number; readonly height: number }): Drawing {
    const place = placeOf(axes, size);
    const { x, y } = place;
    return {
      ...size,
      content: markup`${plotGrid(axes, place, cost)}${frontLine(
        front.map(({ point, cost }) => ({ x: x(cost), y: y(point.value.mean) })),
        place,
      )}
${runs.map((run) => interval(run, place))}
${points.map((point) => spread(point, place))}
${runs.map((run, index) => {
  const { point, cost, value, number } = run;
  const isOne = point.runs.length > 1 && point.method !== null;
  return markup`<g data-i="${index}" transform="translate(${x(cost)} ${y(value)})"${isOne && markup` opacity="0.8"`}${number !== undefined && ofRuns([number])}>${pointSymbol(point)}${isBeyond(run) && arrow(metric.better === "higher" ? "down" : "up")}</g>`;
})}
${front.map(({ point, cost }) => markup`<circle cx="${x(cost)}" cy="${y(point.value.mean)}" r="8" fill="none" stroke="var(--accent)" stroke-width="1.5"${ofPoint(point)}/>`)}
${labels(points, onFront, place)}`,
    };
  }
}

/** Names of at most so many points stand in the note. */
const saidBeyond = 4;

const halfOf = (interval: PlottedRun["interval"]): number => (interval === null ? 0 : (interval[1] - interval[0]) / 2);

/** Every method, with each granularity that it has, in the order of its first point, and what others have published. */
function keyOf(points: readonly PlottedPoint[]): readonly Markup[] {
  const name = ({ method, granularity }: PlottedPoint) =>
    `${method ?? "published"}${granularity === null ? "" : `, by ${granularity.name}`}`;
  const named = new Map(points.map((point) => [name(point), point] as const));
  return Array.from(named, ([name, point]) => markKey(pointSymbol(point), name));
}

/** Of a run, in its method's colour. */
function interval({ point, cost, interval, number }: Drawn, { x, y }: Place): Markup | null {
  if (interval === null || point.method === null) return null;
  const [at, low, high] = [x(cost), y(interval[0]), y(interval[1])];
  return markup`<path d="M${at} ${low}V${high}M${at - 3} ${low}h6M${at - 3} ${high}h6" stroke="${methodLooks[point.method].colour}" stroke-opacity="0.6" fill="none"${number !== undefined && ofRuns([number])}/>`;
}

/** Least to most of the seeds, both ways, through their mean. */
function spread(point: PlottedPoint, { x, y }: Place): Markup | null {
  const { cost, value, runs } = point;
  if (runs.length < 2 || point.method === null) return null;
  return markup`<path d="M${x(cost.least)} ${y(value.mean)}H${x(cost.most)}M${x(cost.mean)} ${y(value.least)}V${y(value.most)}" stroke="var(--ink)" stroke-width="1" fill="none"${ofPoint(point)}/>`;
}
