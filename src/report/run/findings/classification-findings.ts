import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import type { Calibration } from "../../../tasks/classification/class-findings.ts";
import { mainValue } from "../../../tasks/metric.ts";
import { wilsonInterval } from "../../../tasks/wilson-interval.ts";
import { picture } from "../../charts/picture.ts";
import { fixed, integer, percent, points, share, significant } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { learnsGates } from "../learns-gates.ts";
import { confusionMarkup } from "./confusion.ts";
import { lostMarkup, worstMarkup } from "./mistakes.ts";

/** What the network gets right and wrong on the test set, and whether it knows. */
export function classificationSection(record: RunRecord): Section {
  const { result, findings, data } = record;
  const classes = data.targets.kind === "classes" ? data.targets.names : [];
  return {
    id: "right-and-wrong",
    title: "Right and wrong",
    body:
      result === null || findings?.task !== "classification"
        ? later("The test set is examined when the run ends.")
        : markup`${gateModes(record, result)}
${confusionMarkup(findings.confusion, classes)}
${findings.calibration && calibrationMarkup(findings.calibration, samplesOf(record.data))}
${findings.float && lostMarkup(record, findings.float, classes)}
${findings.worst && worstMarkup(findings.worst, { classes, confusion: findings.confusion })}`,
  };
}

function gateModes(record: RunRecord, { metrics, sampledMetrics }: RunResult): Markup {
  const { task, data } = record;
  const [top1, sampledTop1] = [mainValue(task, metrics), mainValue(task, sampledMetrics)];
  const interval = (value: number) =>
    wilsonInterval(value, data.testImages)
      .map((end) => fixed(end))
      .join("–");
  const [how, sampled] = learnsGates(record)
    ? [
        "With test-time gates, as exported,",
        `; with gates sampled as in training ${percent(sampledTop1)} (${interval(sampledTop1)}), ${points(sampledTop1 - top1)}`,
      ]
    : ["As exported", ""];
  const asRight = task.judge ? "as its teacher does" : "correctly";
  return markup`<p>${how} the network classifies ${percent(top1)} of ${integer(data.testImages)} test ${samplesOf(record.data)} ${asRight} (95\u202f% interval ${interval(top1)})${sampled}.</p>`;
}

/** Smaller bins say too little to be drawn at full strength. */
const fewImages = 20;

const side = { wide: 300, narrow: 300 } as const;

function calibrationMarkup({ bins, expectedError }: Calibration, samples: string): Markup {
  const drawn = bins.filter(({ images }) => images > 0);
  const [left, top, size] = [34, 8, side.wide - 50];
  const x = (value: number) => (left + value * size).toFixed(1);
  const y = (value: number) => (top + (1 - value) * size).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (value) =>
      markup`<path d="M${x(0)} ${y(value)}H${x(1)}" stroke="var(--rule)"/><text x="${left - 6}" y="${Number(y(value)) + 4}" text-anchor="end" font-size="11" fill="var(--muted)">${value * 100}</text><text x="${x(value)}" y="${top + size + 16}" text-anchor="middle" font-size="11" fill="var(--muted)">${value * 100}</text>`,
  );
  const marks = drawn.map(
    ({ confidence, accuracy, images }, index) =>
      markup`<g data-i="${index}"><path d="M${x(confidence)} ${y(confidence)}V${y(accuracy)}" stroke="var(--wrong)" stroke-width="1.5"/><circle class="frame" cx="${x(confidence)}" cy="${y(accuracy)}" r="4" fill="${images < fewImages ? "var(--paper)" : "var(--series-1)"}" stroke="var(--series-1)" stroke-width="1.5"/></g>`,
  );
  const drawing = {
    width: side.wide,
    height: top + size + 22,
    content: markup`${ticks}<path d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}" stroke="var(--axis)" stroke-dasharray="4 3"/>${marks}`,
  };
  return markup`<div class="figures">${picture({
    id: "calibration",
    title: "Calibration: share correct by confidence, %",
    summary: `Share classified correctly by mean confidence. ${drawn.map(({ images, confidence, accuracy }) => `${percent(100 * confidence, 1)}: ${percent(100 * accuracy, 1)} of ${integer(images)}`).join("; ")}.`,
    marks: drawn.map(({ images, confidence, accuracy }) => ({
      title: `${integer(images)} ${samples}`,
      lines: [
        ["confidence", percent(100 * confidence)],
        ["correct", percent(100 * accuracy)],
      ],
    })),
    wide: drawing,
    narrow: drawing,
    note: markup`Each dot is the ${samples} whose confidence falls into one fifteenth of the axis; hollow dots stand for fewer than ${fewImages}. On the dashed line the network is right as often as it says.`,
  })}<div class="beside"><h3>Is it as sure as it should be?</h3>
<p>Expected calibration error: <strong>${significant(100 * expectedError, 3)} points</strong>, the mean distance between confidence and share correct, weighted by ${samples}.</p>
<p>${mood(drawn, samples)}</p></div></div>`;
}

function mood(bins: Calibration["bins"], samples: string): string {
  const images = bins.reduce((sum, bin) => sum + bin.images, 0);
  const mean = (value: (bin: Calibration["bins"][number]) => number) =>
    bins.reduce((sum, bin) => sum + bin.images * value(bin), 0) / Math.max(1, images);
  const difference = 100 * (mean(({ confidence }) => confidence) - mean(({ accuracy }) => accuracy));
  const way = difference > 0 ? "surer than it is right" : "less sure than it is right";
  const sure = bins.at(-1);
  const last = sure
    ? ` Its most confident ${samples}, ${percent(share(sure.images, images), 1)} of all, are right in ${percent(100 * sure.accuracy)} of the cases.`
    : "";
  return `On the whole the network is ${way}, by ${significant(Math.abs(difference), 2)} points.${last}`;
}
