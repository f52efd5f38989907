import { type AgainstFloat, againstFloat, intervalName } from "../../../runs/against-float.ts";
import { type BudgetMet, budgetMet } from "../../../runs/budget-met.ts";
import { deliveredExport } from "../../../runs/exports.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { type Metric, mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bytes, integer, percent, share, significant, threadCount, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import {
  capital,
  differenceIntervalText,
  differenceText,
  intervalOf,
  intervalText,
  shown,
} from "../../page/metrics.ts";
import { learnsGates } from "../learns-gates.ts";
import { channelsNow, evaluationImages } from "../run-state.ts";

interface Headline {
  readonly name: string;
  readonly value: string;
  readonly note: Markup | string;
}

/**
 * The figures by which one decides whether this network ships; null before the first epoch.
 *
 * @param baselines Runs that it is held against; those in float32 say what quantization costs.
 */
export function headline(record: RunRecord, baselines: readonly RunRecord[] = []): Markup | null {
  const figures = record.result ? finished(record, record.result, baselines) : unfinished(record);
  if (figures.length === 0) return null;
  return markup`<dl class="headline">${figures.map(
    ({ name, value, note }) =>
      markup`<div><dt>${name}</dt><dd><strong>${value}</strong> <span>${note}</span></dd></div>\n`,
  )}</dl>`;
}

function finished(record: RunRecord, result: RunResult, baselines: readonly RunRecord[]): readonly Headline[] {
  const { data, task } = record;
  const metric = mainMetric(task);
  const main = mainValue(task, result.metrics);
  const { relativeBops, relativeBopsAuthors, bytes: size, channels, parameters } = result;
  return [
    mainHeadline(metric, { set: "test", value: main, images: data.testImages }),
    ...floatFigure(againstFloat(record, baselines)),
    ...budgetFigure(budgetMet(record)),
    {
      name: "Relative bit operations",
      value: `${significant(relativeBops)}\u202f%`,
      note: differ(relativeBops, relativeBopsAuthors)
        ? `of the 32-bit network; ${significant(relativeBopsAuthors)}\u202f% by the authors’ formula`
        : `of the 32-bit network: ${times(100 / relativeBops)} fewer`,
    },
    {
      name: "Packed size",
      value: bytes(size.packed),
      note: `of ${bytes(size.fp32)} in FP32: ${times(size.fp32 / size.packed)} smaller`,
    },
    {
      name: "Parameters kept",
      value: percent(share(parameters.kept, parameters.of), 1),
      note: `${integer(parameters.kept)} of ${integer(parameters.of)}`,
    },
    channelFigure(channels),
    ...(latencyFigure(record) ?? sampledFigure(record, result)),
  ];
}

/** What the gates, drawn as in training, make of the network. */
function sampledFigure(record: RunRecord, { metrics, sampledMetrics }: RunResult): readonly Headline[] {
  if (!learnsGates(record)) return [];
  const metric = mainMetric(record.task);
  const sampled = mainValue(record.task, sampledMetrics);
  return [
    {
      name: `${capital(metric.label)} with sampled gates`,
      value: shown(metric, sampled),
      note: `${differenceText(metric, sampled - mainValue(record.task, metrics))} against test-time gates`,
    },
  ];
}

/** What is lost against float32, where that is known. */
function floatFigure(against: AgainstFloat | null): readonly Headline[] {
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

function budgetFigure(budget: BudgetMet | null): readonly Headline[] {
  if (budget === null) return [];
  const { kind, limit, value, met } = budget;
  const [within, of] =
    kind === "relativeBops"
      ? [`${significant(value, 4)} of ${significant(limit, 4)}\u202f%`, "relative bit operations"]
      : [`${integer(value)} of ${integer(limit)} bytes`, "packed"];
  return [{ name: "Budget", value: met ? "met" : "not met", note: `${within} ${of}` }];
}

/** Of one image where that was measured, as that is what one waits for. */
function latencyFigure(record: RunRecord): readonly Headline[] | null {
  const latencies = deliveredExport(record)?.verification?.latency ?? [];
  const [first] = latencies.toSorted((one, other) => one.batch - other.batch);
  if (!first) return null;
  const { batch, threads, medianMs, fp32MedianMs } = first;
  const on = threads === undefined ? "" : `, ${threadCount(threads)}`;
  return [
    {
      name: "Latency in the verified runtime",
      value: `${significant(medianMs)}\u202fms`,
      note: `batch of ${integer(batch)}${on}; FP32 ${significant(fp32MedianMs)}\u202fms. Bit operations are not latency`,
    },
  ];
}

function unfinished(record: RunRecord): readonly Headline[] {
  const last = record.epochs.at(-1);
  if (!last) return [];
  const channels = channelsNow(record);
  return [
    mainHeadline(mainMetric(record.task), {
      set: last.evaluation.split,
      value: mainValue(record.task, last.evaluation.metrics),
      images: evaluationImages(record, last),
    }),
    {
      name: "Relative bit operations",
      value: `${significant(last.relativeBops)}\u202f%`,
      note: "of the 32-bit network",
    },
    ...(channels && channels.of > 0 ? [{ ...channelFigure(channels), name: "Channels with an open gate" }] : []),
  ];
}

function mainHeadline(
  metric: Metric,
  { set, value, images }: { readonly set: string; readonly value: number; readonly images: number },
): Headline {
  const interval = intervalOf(metric, value, images);
  return {
    name: `${capital(metric.label)}, ${set} set`,
    value: shown(metric, value),
    note: markup`${interval && markup`<abbr title="Wilson score interval">95\u202f% interval</abbr> ${intervalText(interval)}, `}${integer(images)} images`,
  };
}

const channelFigure = ({ kept, of }: { kept: number; of: number }): Headline => ({
  name: "Channels kept",
  value: of === 0 ? "all" : percent(share(kept, of), 1),
  note: of === 0 ? "this run prunes no channels" : `${integer(kept)} of ${integer(of)} that can be pruned`,
});

/** Whether two percentages differ by more than rounding. */
export const differ = (one: number, other: number): boolean => Math.abs(one - other) > 1e-6 * Math.abs(one);
