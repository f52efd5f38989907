import type { CurvePoint } from "../../ptq/harm-curve.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import type { Mark } from "../browser/data.ts";
import { axisOf } from "../charts/axis.ts";
import { lineKey, markKey, ring } from "../charts/key.ts";
import { type Drawing, picture } from "../charts/picture.ts";
import { frontLine, placeOf, plotGrid, plotSizes } from "../charts/plot-frame.ts";
import { symbolAt } from "../charts/symbols.ts";
import { bytes, significant } from "../page/format.ts";
import { type Markup, markup } from "../page/markup.ts";
import { errorAxis, noiseOfError } from "./error-axis.ts";
import { bopsText, costOfPlans } from "./plan-cost.ts";
import { originTexts } from "./plan-origins.ts";
import { weightCounts, widthCounts } from "./width-counts.ts";

type Plan = NonNullable<QuantizedRecord["plan"]>;
type Looked = Plan["plans"][number];

/** What plans are, in the order of their symbols. */
const origins = ["uniform", "knapsack", "refined"] as const satisfies readonly Looked["origin"][];

/** Plans that were looked at, and the least sum of harms that any budget gives: error against what the budget counts. */
export function planFigure(plan: Plan, curve: readonly CurvePoint[]): Markup {
  const { table, plans } = plan;
  const cost = costOfPlans(plan);
  const looked = plans.flatMap((plan) => (plan.error === null ? [] : [{ ...plan, error: plan.error }]));
  const points = [
    ...looked.map((plan) => ({ ...plan, mark: planMark(table, plan, plan === looked[0]) })),
    ...curve.map((point) => ({ ...point, origin: null, error: point.harm, mark: curveMark(table, point) })),
  ];
  const axes = {
    x: axisOf(
      points.map((point) => cost.of(point)),
      { logarithmic: true },
    ),
    y: errorAxis(points.map(({ error }) => error)),
  };
  const [chosen] = looked;
  const used = origins.filter((origin) => looked.some((plan) => plan.origin === origin));
  const title = `Error against ${cost.against}, by plan`;
  return picture({
    id: "plans",
    title,
    summary: `${title}. ${chosen === undefined ? "No plan was measured" : `Chosen: ${cost.text(chosen)}, error ${significant(chosen.error)}`}. Least sums of harms: ${curve.map((point) => `${point.budget}, ${significant(point.harm)}`).join("; ")}.`,
    marks: points.map(({ mark }) => mark),
    wide: drawing(plotSizes.wide),
    narrow: drawing(plotSizes.narrow),
    key: markup`<ul class="key">${used.map((origin) => markKey(symbolAt(origins.indexOf(origin)), originTexts[origin]))}${chosen !== undefined && markKey(ring, "chosen")}${lineKey({ path: "M0 3H11V9H22", colour: "var(--accent)" }, "sum of harms, at best")}</ul>`,
  });

  function drawing(size: { readonly width: number; readonly height: number }): Drawing {
    const place = placeOf(axes, size);
    const at = (point: Parameters<typeof cost.of>[0] & { readonly error: number }) => ({
      x: place.x(cost.of(point)),
      y: place.y(point.error),
    });
    return {
      ...size,
      content: markup`${plotGrid(axes, place, cost.axis)}${frontLine(
        curve.map((point) => at({ ...point, error: point.harm })),
        place,
      )}
${points
  .map((point, index) => {
    const { x, y } = at(point);
    const shape =
      point.origin === null
        ? markup`<circle class="frame" r="3" fill="var(--paper)" stroke="var(--accent)" stroke-width="1.5"/>`
        : symbolAt(origins.indexOf(point.origin));
    return markup`<g data-i="${index}" transform="translate(${x} ${y})">${shape}${point === points[0] && chosen !== undefined && ring}</g>`;
  })
  // The chosen plan above all others.
  .toReversed()}`,
    };
  }
}

function planMark(table: Plan["table"], plan: Looked & { readonly error: number }, isChosen: boolean): Mark {
  const { origin, error } = plan;
  return {
    title: isChosen ? "The chosen plan" : "A plan that was measured",
    lines: [
      ["found by", originTexts[origin]],
      ...widthLines(table, plan),
      ["error of the outputs", significant(error)],
      ["signal-to-noise", noiseOfError(error)],
    ],
  };
}

/** What was chosen, and what it costs. */
const widthLines = (
  table: Plan["table"],
  { bits, activations, bytes: size, relativeBops }: Pick<CurvePoint, "bits" | "activations" | "bytes" | "relativeBops">,
): Mark["lines"] => [
  ["widths", weightCounts(table, bits)],
  ...(activations.length === 0 ? [] : [["of activations", widthCounts(activations)] as const]),
  ...(relativeBops === null ? [] : [["relative BOPs", bopsText(relativeBops)] as const]),
  ["bytes of the weights", bytes(Math.round(size))],
];

function curveMark(table: Plan["table"], point: CurvePoint): Mark {
  const { budget, harm } = point;
  return {
    title: `Budget ${budget}`,
    lines: [
      ...widthLines(table, point),
      [table.measured === "outputs" ? "sum of harms" : "sum of the weights’ errors", significant(harm)],
    ],
  };
}
