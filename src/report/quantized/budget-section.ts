import { shellWord } from "../../core/shell-word.ts";
import { type CurvePoint, harmCurve } from "../../ptq/harm-curve.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { bytes, fixed, integer, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { noiseOfError } from "./error-axis.ts";
import { harmFigure } from "./harm-figure.ts";
import { activationHarms, weightHarms } from "./harm-tables.ts";
import { bopsText, isOfBops } from "./plan-cost.ts";
import { planFigure } from "./plan-figure.ts";
import { originTexts } from "./plan-origins.ts";
import { weightCounts, widthCounts } from "./width-counts.ts";

type Plan = NonNullable<QuantizedRecord["plan"]>;

/** How widths were chosen, and what other budgets would give; null where there was no budget. */
export function budgetSection({ plan }: QuantizedRecord): Section | null {
  if (plan === null) return null;
  const curve = harmCurve(plan.table, plan.plans[0] ?? { bytes: 0, relativeBops: null });
  return {
    id: "budget",
    title: "Bits within the budget",
    body: markup`${introduction(plan)}
<div class="figures">${harmFigure(plan)}${planFigure(plan, curve)}</div>
${planTable(plan)}
<h3>Another budget</h3>
<p>From the table of harms, without measuring anything again: in the folder of this report, or with its path in place of the dot. The file of a new budget goes into a folder of its own. Harms do not add up where several weights have few bits: what a plan does is only known once its file is compared.</p>
${curveTable(plan, curve)}
${weightHarms(plan)}${plan.table.activations.length > 0 && isOfBops(plan.plans) && activationHarms(plan)}`,
  };
}

function introduction({ budget, table: { measured, samples, weights }, plans }: Plan): Markup {
  const harm =
    measured === "outputs"
      ? `A harm is what the outputs lose where this weight alone has so many bits, Σ (y − ŷ)² / Σ y², the mean over outputs, on ${integer(samples)} samples: 0.001 is 30\u202fdB.`
      : "There was no data: a harm is the weight’s own relative squared error, which knows nothing of the network.";
  const byChannel = weights.some(({ choices }) => choices.some(({ rowError }) => rowError !== undefined));
  const rows =
    "Where output channels have widths of their own, the harm of a weight is told between those that were measured by the squared errors of its channels: those of what the layer gives, where that is known. ";
  const bops =
    "Bit operations (BOPs) are a layer’s multiply-accumulates times the bits of its weight times the bits of what it multiplies, in percent of those at 32 bits everywhere. A value in float has 32 bits.";
  return markup`<p>The budget was ${foreign(budget, 20)}. ${isOfBops(plans) && `${bops} `}${byChannel && rows}${harm}</p>`;
}

function planTable({ plans, table: harms }: Plan): Markup {
  const { weights } = harms;
  const numbers = weights.reduce((sum, weight) => sum + weight.numbers, 0);
  return table<{ readonly plan: Plan["plans"][number]; readonly rank: number }>({
    id: "plan-table",
    caption: "Plans within the budget that were looked at, the chosen one first",
    columns: [
      { title: "Plan", value: ({ plan, rank }) => `${originTexts[plan.origin]}${rank === 0 ? " (chosen)" : ""}` },
      { title: "Weights", value: ({ plan }) => weightCounts(harms, plan.bits) },
      ...(isOfBops(plans) ? bopsColumns<{ readonly plan: Plan["plans"][number] }>(({ plan }) => plan) : []),
      sizeColumn(({ plan }) => plan.bytes),
      bitsColumn(({ plan }) => plan.bytes, numbers),
      {
        title: "Error of the outputs",
        kind: "number",
        value: ({ plan }) => plan.error,
        show: ({ plan }) => (plan.error === null ? "not measured" : significant(plan.error)),
      },
      {
        title: "Signal-to-noise",
        kind: "number",
        value: ({ plan }) => plan.error && -plan.error,
        show: ({ plan }) => (plan.error === null ? "–" : noiseOfError(plan.error)),
      },
    ],
    rows: plans.map((plan, rank) => ({ plan, rank })),
  });
}

function curveTable({ table: harms, plans }: Plan, curve: readonly CurvePoint[]): Markup {
  const { weights, measured } = harms;
  const numbers = weights.reduce((sum, weight) => sum + weight.numbers, 0);
  return table<CurvePoint>({
    id: "budget-table",
    caption: "The least sum of harms that other budgets give",
    columns: [
      {
        title: "Budget",
        kind: "number",
        value: ({ budget }) => Number.parseFloat(budget.replace("bops:", "")),
        show: ({ budget }) => budget,
      },
      { title: "Weights", value: ({ bits }) => weightCounts(harms, bits) },
      ...(isOfBops(plans) ? bopsColumns<CurvePoint>((point) => point) : []),
      sizeColumn((point) => point.bytes),
      bitsColumn((point) => point.bytes, numbers),
      {
        title: measured === "outputs" ? "Sum of harms" : "Sum of the weights’ errors",
        kind: "number",
        value: ({ harm }) => harm,
        show: ({ harm }) => significant(harm),
      },
      {
        title: "Command",
        value: commandOf,
        show: (point) => markup`<code>${commandOf(point)}</code>`,
      },
    ],
    rows: curve,
  });
}

const commandOf = ({ budget }: CurvePoint): string =>
  ["bayesian-bits", "quantize", ".", "--budget", budget].map(shellWord).join(" ");

/** What is chosen and counted where the budget is one of bit operations. */
const bopsColumns = <Row>(
  planOf: (row: Row) => Pick<CurvePoint, "activations" | "relativeBops">,
): readonly Column<Row>[] => [
  { title: "Activations", value: (row) => widthCounts(planOf(row).activations) },
  {
    title: "Relative BOPs",
    kind: "number",
    value: (row) => planOf(row).relativeBops,
    show: (row) => bopsText(planOf(row).relativeBops),
  },
];

const sizeColumn = <Row>(of: (row: Row) => number): Column<Row> => ({
  title: "Bytes of the weights",
  kind: "number",
  value: of,
  show: (row) => bytes(Math.round(of(row))),
});

const bitsColumn = <Row>(of: (row: Row) => number, numbers: number): Column<Row> => ({
  title: "Bits on average",
  kind: "number",
  value: (row) => (8 * of(row)) / numbers,
  show: (row) => fixed((8 * of(row)) / numbers),
});
