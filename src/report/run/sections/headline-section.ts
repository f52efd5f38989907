import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { bytes, integer, percent, share, significant, times } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { capital, differenceText, shown } from "../../page/metrics.ts";
import { learnsGates } from "../learns-gates.ts";
import { channelsNow, evaluationImages } from "../run-state.ts";
import { type Figure, figureList, mainFigure } from "./headline-figures.ts";
import { verdict } from "./verdict-section.ts";

/**
 * The figures by which one decides whether this network ships, and those beside them; null before the first epoch.
 *
 * @param baselines Runs that it is held against; those in float32 say what quantization costs.
 */
export function headline(record: RunRecord, baselines: readonly RunRecord[] = []): Markup | null {
  const { result } = record;
  if (result !== null)
    return markup`${verdict(record, result, baselines)}\n${figureList("more", beside(record, result))}`;
  const figures = unfinished(record);
  return figures.length === 0 ? null : figureList("decide", figures);
}

function beside(record: RunRecord, result: RunResult): readonly Figure[] {
  const { relativeBops, relativeBopsAuthors, bytes: size, channels, parameters } = result;
  return [
    {
      name: "Relative bit operations",
      value: `${significant(relativeBops)}\u202f%`,
      note: differ(relativeBops, relativeBopsAuthors)
        ? `of the 32-bit network; ${significant(relativeBopsAuthors)}\u202f% by the authors’ formula`
        : `of the 32-bit network: ${times(100 / relativeBops)} fewer`,
    },
    {
      name: "Packed weights and biases",
      value: bytes(size.packed),
      note: `of ${bytes(size.fp32)} in FP32: ${times(size.fp32 / size.packed)} smaller`,
    },
    {
      name: "Parameters kept",
      value: percent(share(parameters.kept, parameters.of), 1),
      note: `${integer(parameters.kept)} of ${integer(parameters.of)}`,
    },
    channelFigure(channels),
    ...sampledFigure(record, result),
  ];
}

/** What the gates, drawn as in training, make of the network. */
function sampledFigure(record: RunRecord, { metrics, sampledMetrics }: RunResult): readonly Figure[] {
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

function unfinished(record: RunRecord): readonly Figure[] {
  const last = record.epochs.at(-1);
  if (!last) return [];
  const channels = channelsNow(record);
  return [
    mainFigure(mainMetric(record.task), {
      set: last.evaluation.split,
      value: mainValue(record.task, last.evaluation.metrics),
      count: evaluationImages(record, last),
      of: samplesOf(record.data),
    }),
    {
      name: "Relative bit operations",
      value: `${significant(last.relativeBops)}\u202f%`,
      note: "of the 32-bit network",
    },
    ...(channels && channels.of > 0 ? [{ ...channelFigure(channels), name: "Channels with an open gate" }] : []),
  ];
}

const channelFigure = ({ kept, of }: { kept: number; of: number }): Figure => ({
  name: "Channels kept",
  value: of === 0 ? "all" : percent(share(kept, of), 1),
  note: of === 0 ? "this run prunes no channels" : `${integer(kept)} of ${integer(of)} that can be pruned`,
});

/** Whether two percentages differ by more than rounding. */
export const differ = (one: number, other: number): boolean => Math.abs(one - other) > 1e-6 * Math.abs(one);
