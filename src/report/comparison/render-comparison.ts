import { lookup } from "../../core/lookup.ts";
import type { RunRecord } from "../../runs/record.ts";
import { integer } from "../page/format.ts";
import { pageText } from "../page/html-page.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { bitsSection } from "./bits-section.ts";
import { groupRuns } from "./configurations.ts";
import { differenceSection } from "./differences-section.ts";
import { frontSections } from "./front-section.ts";
import { comparisonHeadline } from "./headline.ts";
import { roundingSection } from "./rounding-section.ts";
import { filters } from "./run-filters.ts";
import { configurationSection, runSection } from "./runs-section.ts";

export interface ComparisonOptions {
  readonly title?: string;
  /** Address of a run's own report, relative to the page; null where it has none. */
  readonly linkOf?: (record: RunRecord) => string | null;
}

/**
 * Several runs beside each other as one HTML file, made from their records alone: Pareto plots, bits, figures, and what
 * differs between their configurations. Runs without a result are listed and not drawn.
 */
export function renderComparison(records: readonly RunRecord[], options: ComparisonOptions = {}): string {
  const { title = "Comparison of runs", linkOf = () => null } = options;
  const configurations = groupRuns(records);
  const numbers = new Map(records.map((record, index) => [record, index]));
  const numberOf = (record: RunRecord) => lookup(numbers, record);
  const bits = bitsSection(records, numberOf);
  const rounding = roundingSection(records);
  const sections: Section[] = [
    ...frontSections(records, numberOf),
    ...(bits ? [bits] : []),
    ...(rounding ? [rounding] : []),
    runSection(records, { linkOf, numberOf }),
    ...(configurations.length < records.length ? [configurationSection(configurations, numberOf)] : []),
    differenceSection(configurations, numberOf),
  ];
  return pageText({
    title: `${title} · Bayesian Bits`,
    header: header(title, records, configurations.length),
    sections,
    footer: markup`Made from the runs’ records. Percentages of bit operations are relative to the same network with 32-bit weights and activations.`,
  });
}

function header(title: string, records: readonly RunRecord[], configurations: number): Markup {
  const unfinished = records.filter(({ result }) => result === null).length;
  const tasks = [...new Set(records.map(({ network, data }) => `${network.name} on ${data.name}`))];
  return markup`<p class="kind">Bayesian Bits comparison</p>
<h1>${foreign(title, 120)}</h1>
<p class="about">${tasks.slice(0, 4).map((task) => markup`${foreign(task, 60)} · `)}${integer(records.length)} runs of ${integer(configurations)} ${configurations === 1 ? "configuration" : "configurations"}</p>
${unfinished > 0 && markup`<p class="banner">${integer(unfinished)} of the runs ${unfinished === 1 ? "has" : "have"} no result yet: listed below, but not drawn.</p>`}
${comparisonHeadline(records)}${filters(records)}`;
}
