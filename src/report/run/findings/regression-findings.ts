import type { RunRecord } from "../../../runs/record.ts";
import type { RegressionFindings } from "../../../tasks/regression/value-findings.ts";
import { axisOf } from "../../charts/axis.ts";
import { integer, significant } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { learnsGates } from "../learns-gates.ts";
import { across, baseline, below, beside, down, frame, round, smallPlot } from "./small-plot.ts";

type Output = RegressionFindings["outputs"][number];

/** How far the network's values lie from the true ones on the test set. */
export function regressionSection(record: RunRecord): Section {
  const { findings } = record;
  return {
    id: "errors",
    title: "Errors",
    body:
      findings?.task !== "regression"
        ? later("The test set is examined when the run ends.")
        : markup`<p>Errors are predicted less true values, of test images${learnsGates(record) && " with test-time gates"}, as exported.</p>
${findings.outputs.map((output, index) => figures(output, index, findings.outputs.length))}`,
  };
}

function figures(output: Output, index: number, count: number): Markup {
  const of = count === 1 ? "" : ` of output ${index + 1}`;
  return markup`<div class="figures">${histogram(output, of, index)}${scatter(output, of, index)}</div>\n`;
}

/** Images by error. */
function histogram({ limit, errors }: Output, of: string, index: number): Markup {
  const most = Math.max(1, ...errors);
  const width = across / errors.length;
  const edge = (bin: number) => limit * ((2 * bin) / errors.length - 1);
  const bars = errors.map((images, bin) => {
    const height = (down * images) / most;
    return markup`<g data-i="${bin}"><rect class="frame" x="${round(frame.left + bin * width)}" y="${round(frame.top + down - height)}" width="${round(width - 1)}" height="${round(height)}" fill="var(--series-1)"/></g>`;
  });
  const ticks = [-limit, 0, limit].map((value, at) => below(frame.left + (across * at) / 2, significant(value)));
  return smallPlot({
    id: `errors-${index + 1}`,
    title: `Test images by error${of}`,
    summary: `Images by error in ${errors.length} bins from ${significant(-limit)} to ${significant(limit)}: ${errors.join(", ")}.`,
    marks: errors.map((images, bin) => ({
      title: `${integer(images)} images`,
      lines: [["error", `${significant(edge(bin))} to ${significant(edge(bin + 1))}`] as const],
    })),
    content: markup`${baseline}${bars}${ticks}${beside(frame.top + 4, integer(most))}`,
  });
}

/** Predicted values against true ones; on the dashed line they are equal. */
function scatter({ points }: Output, of: string, index: number): Markup {
  const axis = axisOf(points.length === 0 ? [0, 1] : points.flat());
  const x = (value: number) => round(frame.left + axis.at(value) * across);
  const y = (value: number) => round(frame.top + (1 - axis.at(value)) * down);
  const ticks = axis.ticks.map((tick) => markup`${below(x(tick), String(tick))}${beside(y(tick) + 4, String(tick))}`);
  const diagonal = `M${frame.left} ${frame.top + down}L${frame.left + across} ${frame.top}`;
  return smallPlot({
    id: `predicted-${index + 1}`,
    title: `Predicted${of} (upwards) against true`,
    summary: `${integer(points.length)} test images, evenly chosen, by true and predicted value.`,
    marks: points.map(([truth, predicted]) => ({
      title: `error ${significant(predicted - truth)}`,
      lines: [["true", significant(truth, 4)] as const, ["predicted", significant(predicted, 4)] as const],
    })),
    content: markup`${baseline}<path d="${diagonal}" stroke="var(--axis)" stroke-dasharray="4 3"/>${ticks}${points.map(
      ([truth, predicted], at) =>
        markup`<g data-i="${at}"><circle class="frame" cx="${x(truth)}" cy="${y(predicted)}" r="2.5" fill="var(--series-1)" fill-opacity="0.5"/></g>`,
    )}`,
  });
}
