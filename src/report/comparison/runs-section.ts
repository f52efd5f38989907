import { first } from "../../core/elements.ts";
import type { RunRecord, RunResult } from "../../runs/record.ts";
import { mainMetric } from "../../tasks/metric.ts";
import { methodMark } from "../charts/method-marks.ts";
import { bytes, duration, integer, percent, share, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { intervalOf, intervalText, shown } from "../page/metrics.ts";
import type { Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { methodOf } from "../run/method-name.ts";
import type { Configuration } from "./configurations.ts";
import { granularityColumns, granularityNote } from "./granularity.ts";
import { budgetColumn, floatColumns, floatNote } from "./judgement-columns.ts";
import { latencyColumns, latencyNote } from "./latency-columns.ts";
import { metricTitle, resultText, resultValue, sharedMetric } from "./main-metric.ts";
import type { NumberOf } from "./run-numbers.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** A run by its name and seed. */
export const runName = ({ name, seed }: RunRecord): string => `${name}, seed ${seed}`;

/** Every run with its figures. */
export function runSection(
  records: readonly RunRecord[],
  { linkOf, numberOf }: { readonly linkOf: (record: RunRecord) => string | null; readonly numberOf: NumberOf },
): Section {
  const of = (
    title: string,
    value: (result: RunResult, record: RunRecord) => number,
    show: (value: number) => string,
  ): Column<RunRecord> => ({
    title,
    kind: "number",
    value: (record) => (record.result === null ? null : value(record.result, record)),
    show: (record) => (record.result === null ? "–" : show(value(record.result, record))),
  });
  const isShared = sharedMetric(records) !== null;
  const hasIntervals = records.some(({ task }) => mainMetric(task).isShare);
  const intervals: Column<RunRecord> = {
    title: "95\u202f% interval",
    kind: "number",
    value: (record) => resultInterval(record)?.[0] ?? null,
    show: (record) => intervalText(resultInterval(record)),
  };
  return {
    id: "runs",
    title: "Runs",
    body: markup`${table<RunRecord>({
      id: "run-table",
      caption: "Figures of every run",
      columns: [
        { title: "Run", value: ({ name }) => name, show: (record) => nameCell(record, linkOf(record)) },
        ...differing(seedColumn, records),
        {
          title: "Method",
          value: methodOf,
          show: (record) => methodMark(methodOf(record)),
        },
        ...granularityColumns(records),
        ...(records.every(({ status }) => status === "finished") ? [] : [statusColumn]),
        {
          title: metricTitle(records),
          kind: "number",
          value: resultValue,
          show: (record) => resultText(record, isShared),
        },
        ...(hasIntervals ? [intervals] : []),
        ...floatColumns(records),
        of(
          "Relative BOPs",
          ({ relativeBops }) => relativeBops,
          (value) => `${significant(value)}\u202f%`,
        ),
        ...budgetColumn(records),
        of("Packed", ({ bytes: size }) => size.packed, bytes),
        {
          title: "Channels kept",
          kind: "number",
          value: keptShare,
          show: (record) => {
            const kept = keptShare(record);
            return kept === null ? "–" : percent(kept, 1);
          },
        },
        ...latencyColumns(records),
        ...differing(epochColumn, records),
        {
          title: "Time",
          kind: "number",
          value: ({ times }) => times.seconds,
          show: ({ times }) => duration(times.seconds),
        },
      ],
      rows: records,
      runsOf: (record) => [numberOf(record)],
      pinned: true,
    })}
<p class="note">${alikeNote(records)}${floatNote(records)}${hasIntervals && "Intervals are Wilson’s, of the test images; two runs whose intervals overlap are not told apart by this test set. "}${granularityNote(records)}${latencyNote(records)}</p>`,
  };
}

const seedColumn: Column<RunRecord> = { title: "Seed", kind: "number", value: ({ seed }) => seed };

const epochColumn: Column<RunRecord> = {
  title: "Epochs",
  kind: "number",
  value: ({ epochs }) => epochs.length,
  show: ({ epochs }) => integer(epochs.length),
};

/** A column where the runs differ in it; what all have alike the note says. */
const differing = (column: Column<RunRecord>, records: readonly RunRecord[]): readonly Column<RunRecord>[] =>
  isAlike(column, records) ? [] : [column];

const isAlike = ({ value }: Column<RunRecord>, records: readonly RunRecord[]): boolean =>
  records.length > 1 && new Set(records.map(value)).size === 1;

/** What all runs have alike of the columns that are left out. */
function alikeNote(records: readonly RunRecord[]): string {
  const [record] = records;
  const alike = [seedColumn, epochColumn].filter((column) => isAlike(column, records));
  if (record === undefined || alike.length === 0) return "";
  return `In all runs: ${alike.map(({ title, value }) => `${title.toLowerCase()} ${value(record)}`).join(", ")}. `;
}

/** Said where runs differ in it: all have finished, as a rule. */
const statusColumn: Column<RunRecord> = { title: "Status", value: ({ status }) => status };

const nameCell = ({ name }: RunRecord, link: string | null): Markup =>
  link === null ? foreign(name, 60) : markup`<a href="${link}">${foreign(name, 60)}</a>`;

function resultInterval(record: RunRecord): readonly [number, number] | null {
  const value = resultValue(record);
  return value === null ? null : intervalOf(mainMetric(record.task), value, record.data.testImages);
}

/** In percent; null where there is no result, or nothing that could be pruned. */
const keptShare = ({ result }: RunRecord): number | null =>
  result === null || result.channels.of === 0 ? null : share(result.channels.kept, result.channels.of);

interface Summary {
  readonly configuration: Configuration;
  readonly main: Spread;
  readonly bops: Spread;
  readonly bytes: Spread;
}

/** Seeds taken together. */
export function configurationSection(configurations: readonly Configuration[], numberOf: NumberOf): Section {
  const records = configurations.flatMap(({ runs }) => runs);
  const rows = configurations.flatMap((configuration): Summary[] => {
    const finished = configuration.runs.filter(({ result }) => result !== null);
    const results = finished.flatMap(({ result }) => result ?? []);
    if (results.length === 0) return [];
    const of = (value: (result: RunResult) => number) => spreadOf(results.map(value));
    return [
      {
        configuration,
        main: spreadOf(finished.flatMap((record) => resultValue(record) ?? [])),
        bops: of(({ relativeBops }) => relativeBops),
        bytes: of(({ bytes }) => bytes.packed),
      },
    ];
  });
  const spread = (
    title: string,
    of: (row: Summary) => Spread,
    show: (value: number, row: Summary) => string,
  ): Column<Summary>[] => [
    { title: `${title}, mean`, kind: "number", value: (row) => of(row).mean, show: (row) => show(of(row).mean, row) },
    {
      title: "± deviation",
      kind: "number",
      value: (row) => of(row).deviation,
      show: (row) => {
        const { deviation } = of(row);
        return deviation === null ? "–" : show(deviation, row);
      },
    },
  ];
  return {
    id: "configurations",
    title: "Configurations",
    body: table<Summary>({
      id: "configuration-table",
      caption: "Runs of one configuration with different seeds, taken together",
      columns: [
        {
          title: "Configuration",
          value: ({ configuration }) => configuration.label,
          show: ({ configuration }) => foreign(configuration.label, 60),
        },
        { title: "Runs", kind: "number", value: ({ main }) => main.count },
        ...spread(
          metricTitle(records),
          ({ main }) => main,
          (value, { configuration }) => shown(mainMetric(first(configuration.runs).task), value),
        ),
        ...spread(
          "Relative BOPs",
          ({ bops }) => bops,
          (value) => `${significant(value)}\u202f%`,
        ),
        ...spread(
          "Packed",
          (row) => row.bytes,
          (value) => bytes(Math.round(value)),
        ),
      ],
      rows,
      runsOf: ({ configuration }) => configuration.runs.map(numberOf),
    }),
  };
}
