import type { Metric } from "../../../tasks/metric.ts";
import { integer } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { capital, intervalOf, intervalText, shown } from "../../page/metrics.ts";

/** A figure that is read at a glance. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: Markup | string;
  /** Whether it speaks against the network. */
  readonly isBad?: boolean;
}

/** @param kind `decide`: those that say whether a network ships; `more`: those beside them, smaller. */
export const figureList = (kind: "decide" | "more", figures: readonly Figure[]): Markup =>
  markup`<dl class="headline ${kind}">${figures.map(
    ({ name, value, note, isBad = false }) =>
      markup`<div><dt>${name}</dt><dd><strong${isBad && markup` class="bad"`}>${value}</strong> <span>${note}</span></dd></div>\n`,
  )}</dl>`;

/** The main metric on a set of samples. */
export function mainFigure(
  metric: Metric,
  {
    set,
    value,
    count,
    of,
  }: { readonly set: string; readonly value: number; readonly count: number; readonly of: string },
): Figure {
  const interval = intervalOf(metric, value, count);
  return {
    name: `${capital(metric.label)}, ${set} set`,
    value: shown(metric, value),
    note: markup`${interval && markup`<abbr title="Wilson score interval">95\u202f% interval</abbr> ${intervalText(interval)}, `}${integer(count)} ${of}`,
  };
}
