import type { SearchRecord } from "../../../runs/search-schema.ts";
import { gainOf, type Metric } from "../../../tasks/metric.ts";
import type { Mark } from "../../browser/data.ts";
import { axisOf, heldAxis } from "../../charts/axis.ts";
import { frontKey, lineKey, markKey, ring } from "../../charts/key.ts";
import { lowerFence } from "../../charts/lower-fence.ts";
import { paretoFront } from "../../charts/pareto.ts";
import { type Drawing, picture } from "../../charts/picture.ts";
import { frontLine, placeOf, plotFrame, plotGrid, plotSizes } from "../../charts/plot-frame.ts";
import { arrow, symbolAt } from "../../charts/symbols.ts";
import { thin } from "../../charts/thin.ts";
import { integer } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { capital, shown } from "../../page/metrics.ts";
import { type MeasuredPolicy, searchCosts, searchTexts } from "./search-texts.ts";

/** Of each search at most so many policies are drawn, beside those of the front and the chosen one. */
const drawnPolicies = 400;

/** A policy as it is drawn. */
interface Drawn extends MeasuredPolicy {
  /** Of the searches, whose it is. */
  readonly search: number;
  /** By the metric: what its score stands for. */
  readonly value: number;
  /** What a front is found by. */
  readonly gain: number;
  readonly mark: Mark;
}

/** Every policy that was measured: the metric against the cost, with the front of all and the one that was trained with. */
export function policyFigure(search: SearchRecord, metric: Metric): Markup {
  const { searches, floatScore, limit } = search;
  const costs = searchCosts(search);
  const all = searches.map(({ name, episodes }, index) =>
    episodes.map((policy, episode): Drawn => {
      const value = gainOf(metric, policy.score);
      return {
        ...{ ...policy, search: index, value, gain: policy.score },
        mark: {
          title: `${capital(searchTexts[name])}, policy ${episode + 1}`,
          lines: [
            [metric.label, shown(metric, value)],
            [costs.name, costs.text(policy.cost)],
          ],
        },
      };
    }),
  );
  const front = paretoFront(all.flat());
  const isFront = new Set(front);
  const chosen = all[0]?.[searches[0]?.best?.episode ?? -1];
  const points = all.flatMap((own) => {
    const drawn = new Set(thin(own.length, drawnPolicies).map((index) => own[index]));
    return own.filter((policy) => drawn.has(policy) || policy === chosen || isFront.has(policy));
  });
  const least = lowerFence(points.map(({ gain }) => gain));
  const isBeyond = ({ gain }: Drawn) => least !== null && gain < least;
  const beyond = points.filter(isBeyond).length;
  const float = gainOf(metric, floatScore);
  const axes = {
    x: axisOf(
      [...all.flat(), ...(limit === null ? [] : [{ cost: limit }])].map(({ cost }) => costs.onAxis(cost)),
      {
        logarithmic: true,
      },
    ),
    y: heldAxis(axisOf([float, ...points.filter((point) => !isBeyond(point)).map(({ value }) => value)])),
  };
  const title = `${capital(metric.label)}${metric.unit === "" ? "" : `, ${metric.unit},`} against cost, policy by policy`;
  const count = all.flat().length;
  return picture({
    id: "policies",
    title,
    summary: `${title}. On the front, by rising cost: ${front.map(({ cost, value }) => `${costs.text(cost)}, ${shown(metric, value)}`).join("; ")}.${chosen ? ` Trained with: ${costs.text(chosen.cost)}, ${shown(metric, chosen.value)}.` : ""}`,
    marks: points.map(({ mark }) => mark),
    wide: drawing(plotSizes.wide),
    narrow: drawing(plotSizes.narrow),
    key: markup`<ul class="key">${searches.map(({ name }, index) => markKey(symbolAt(index), capital(searchTexts[name])))}${chosen && markKey(ring, "trained with")}${frontKey("Pareto front")}${lineKey(floatLine, "float32")}${limit !== null && lineKey(budgetLine, "budget")}</ul>`,
    note: [
      ...(points.length < count ? [`${integer(points.length)} of ${integer(count)} policies are drawn.`] : []),
      ...(beyond > 0
        ? [`${integer(beyond)} far ${metric.better === "higher" ? "below" : "above"} stand at the edge.`]
        : []),
    ].join(" "),
  });

  function drawing(size: { readonly width: number; readonly height: number }): Drawing {
    const place = placeOf(axes, size);
    const at = ({ cost, value }: Pick<Drawn, "cost" | "value">) => ({
      x: place.x(costs.onAxis(cost)),
      y: place.y(value),
    });
    const base = size.height - plotFrame.bottom;
    return {
      ...size,
      content: markup`${plotGrid(axes, place, costs.axis)}
<path d="M${plotFrame.left} ${place.y(float)}H${size.width - plotFrame.right}" stroke="${floatLine.colour}" stroke-dasharray="${floatLine.dash}"/>
${limit !== null && markup`<path d="M${place.x(costs.onAxis(limit))} ${plotFrame.top}V${base}" stroke="${budgetLine.colour}" stroke-dasharray="${budgetLine.dash}"/>`}
${frontLine(front.map(at), place)}
${points
  .map((point, index) => {
    const { x, y } = at(point);
    return markup`<g data-i="${index}" transform="translate(${x} ${y})" opacity="${point === chosen ? 1 : 0.6}">${symbolAt(point.search)}${point === chosen && ring}${isBeyond(point) && arrow(metric.better === "higher" ? "down" : "up")}</g>`;
  })
  // The method's own above the others.
  .toReversed()}`,
    };
  }
}

const floatLine = { path: "M0 6H22", colour: "var(--muted)", dash: "6 3" } as const;
const budgetLine = { path: "M11 0V12", colour: "var(--ink)", dash: "2 2" } as const;
