import { type AgainstFloat, againstFloat, dropOf, intervalName } from "../../../runs/against-float.ts";
import { type BudgetMet, budgetMet } from "../../../runs/budget-met.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bytes, integer, significant, threadCount, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { capital, differenceIntervalText, differenceText, shown } from "../../page/metrics.ts";
import { methodOf } from "../method-name.ts";
import { type Recommendation, recommendedExport, slowdown, speedOf, speedText } from "../recommended-export.ts";
import { type Figure, figureList, mainFigure } from "./headline-figures.ts";

/**
 * Whether this network ships, at one glance: in a sentence, then figure by figure; what it does, what float32 does, what
 * it takes, how fast it is and whether it is within its budget.
 *
 * @param baselines Runs that it is held against; those in float32 say what quantization costs.
 */
export function verdict(record: RunRecord, result: RunResult, baselines: readonly RunRecord[]): Markup {
  const { data, task } = record;
  const metric = mainMetric(task);
  const main = mainValue(task, result.metrics);
  const judged: Judged = {
    against: againstFloat(record, baselines),
    recommended: recommendedExport(record),
    budget: budgetMet(record),
    size: result.bytes,
  };
  return markup`${methodOf(record) !== "fp32" && markup`<p class="verdict">${sentence(judged)}</p>`}
${figureList("decide", [
  mainFigure(metric, { set: "test", value: main, count: data.testImages, of: samplesOf(record.data) }),
  ...floatFigure(judged.against),
  sizeFigure(judged),
  ...speedFigure(judged.recommended),
  ...budgetFigure(judged.budget),
])}`;
}

interface Judged {
  readonly against: AgainstFloat | null;
  readonly recommended: Recommendation | null;
  readonly budget: BudgetMet | null;
  readonly size: RunResult["bytes"];
}

function sentence({ against, recommended, budget, size }: Judged): Markup {
  const taken = recommended?.exported.bytes ?? size.packed;
  const speed = recommended && speedOf(recommended.exported);
  const parts = [
    against && accuracyText(against),
    size.fp32 >= taken ? `${times(size.fp32 / taken)} smaller` : `${times(taken / size.fp32)} larger`,
    speed && speedText(speed),
  ].filter((part) => part !== null);
  const [first = "", ...others] = parts;
  const end = budget === null ? "" : budget.met ? " Its budget is met." : " Its budget is not met.";
  return markup`${[`Against float32: ${first}`, ...others].join(", ")}.${end}`;
}

function accuracyText(against: AgainstFloat): string {
  const { metric, difference, interval } = against;
  if (interval !== null && interval[0] <= 0 && interval[1] >= 0)
    return `no difference in ${metric.label} beyond chance (${differenceText(metric, difference)})`;
  if (difference === 0) return `the same ${metric.label}`;
  const size = differenceText(metric, Math.abs(difference)).replace("+", "");
  return `${metric.label} ${size} ${dropOf(against) > 0 ? "worse" : "better"}`;
}

/** What is lost against float32, where that is known. */
function floatFigure(against: AgainstFloat | null): readonly Figure[] {
  if (against === null) return [];
  const { metric, float, source, difference, interval } = against;
  return [
    {
      name: `${capital(metric.label)} against float32`,
      value: differenceText(metric, difference),
      note: markup`${interval && markup`95\u202f% interval ${differenceIntervalText(metric, interval)} (${intervalName}), `}float32 ${shown(metric, float)}, ${foreign(source, 40)}`,
    },
  ];
}

function sizeFigure({ recommended, size }: Judged): Figure {
  if (recommended === null)
    return { name: "Packed size", value: bytes(size.packed), note: `no file yet; ${bytes(size.fp32)} in float32` };
  const { file, form, bytes: taken } = recommended.exported;
  return {
    name: "File size",
    value: bytes(taken),
    note: markup`${foreign(file, 40)} (${form}); parameters in float32 are ${bytes(size.fp32)}`,
  };
}

/** Of the recommended file. */
function speedFigure(recommended: Recommendation | null): readonly Figure[] {
  const speed = recommended && speedOf(recommended.exported);
  if (recommended === null || speed === null) return [];
  const { batch, threads, medianMs, fp32MedianMs } = speed;
  const on = threads === undefined ? "" : `, ${threadCount(threads)}`;
  const runtime = recommended.exported.verification?.runtime ?? "";
  const isSlower = slowdown(speed) > 1;
  return [
    {
      name: "Speed against float32",
      value: speedText(speed),
      note: markup`${significant(medianMs)}\u202fms of ${significant(fp32MedianMs)}\u202fms in ${foreign(runtime, 40)}, batch of ${integer(batch)}${on}${isSlower && ". Bit operations are not latency"}`,
    },
  ];
}

function budgetFigure(budget: BudgetMet | null): readonly Figure[] {
  if (budget === null) return [];
  const { kind, limit, value, met } = budget;
  const [within, of] =
    kind === "relativeBops"
      ? [`${significant(value, 4)} of ${significant(limit, 4)}\u202f%`, "relative bit operations"]
      : [`${integer(value)} of ${integer(limit)} bytes`, "packed"];
  return [{ name: "Budget", value: met ? "met" : "not met", note: `${within} ${of}`, isBad: !met }];
}
