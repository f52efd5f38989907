import type { EpochRecord, RunRecord } from "../../../runs/record.ts";
import { digitsText, type Metric, mainMetric, mainValue } from "../../../tasks/metric.ts";
import { type LineFigure, lineFigure } from "../../charts/line-figure.ts";
import { duration, fixed, integer, significant } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { capital } from "../../page/metrics.ts";
import { later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";

/** How training went: loss, accuracy and bit operations by epoch, as curves and as figures. */
export function trainingSection(record: RunRecord): Section {
  return {
    id: "training",
    title: "Training",
    body:
      record.epochs.length === 0
        ? later("No epoch is finished yet.")
        : markup`<div class="figures">${curves(record)}</div>${epochTable(record)}`,
  };
}

function curves(record: RunRecord): Markup[] {
  const { epochs, task } = record;
  const ofGates = learnsGates(record);
  const metric = mainMetric(task);
  const categories = epochs.map(({ epoch }) => String(epoch));
  const by = (value: (epoch: EpochRecord) => number) => epochs.map(value);
  const split = splitOf(epochs);
  const phases = phasesOf(epochs);
  const note =
    phases.length > 1
      ? {
          note: `Epochs: ${phases.map(({ from, to, phase }) => `${from === to ? from : `${from}–${to}`} ${phase}`).join(", ")}.`,
          borders: phases.slice(1).map(({ from }) => from),
        }
      : {};
  return [
    lineFigure({
      ...note,
      id: "loss",
      title: "Loss (logarithmic)",
      unit: "",
      category: "epoch",
      categories,
      logarithmic: true,
      series: [
        { name: "loss with prior", values: by(({ train }) => train.loss) },
        { name: task.loss.label, values: by(({ train }) => train.taskLoss) },
        { name: `${split} ${task.loss.label}`, values: by(({ evaluation }) => evaluation.taskLoss) },
      ],
    }),
    lineFigure({
      ...note,
      id: "main-metric",
      title: metricHead(metric, capital(metric.label)),
      unit: metric.unit === "%" ? "\u202f%" : metric.unit,
      category: "epoch",
      categories,
      series: [
        {
          name: ofGates ? `${split}, test-time gates` : split,
          values: by(({ evaluation }) => mainValue(task, evaluation.metrics)),
        },
        {
          name: ofGates ? "training, sampled gates" : "training",
          values: epochs.map(({ train }) => train.metrics[metric.key] ?? null),
        },
      ],
    }),
    lineFigure({
      ...note,
      id: "relative-bops",
      title: "Relative bit operations, % (logarithmic)",
      unit: "\u202f%",
      category: "epoch",
      categories,
      logarithmic: true,
      series: [{ name: "relative BOPs", values: by(({ relativeBops }) => relativeBops) }],
    }),
    ...(ofGates
      ? [
          lineFigure({
            ...note,
            id: "complexity",
            title: "Complexity term, before the prior strength",
            unit: "",
            category: "epoch",
            categories,
            series: [{ name: "complexity", values: by(({ train }) => train.complexity) }],
          }),
        ]
      : []),
    ...priorStrengthCurve(epochs, categories, note),
  ];
}

interface Stretch {
  readonly phase: string;
  /** Its first and last epoch. */
  readonly from: number;
  to: number;
}

/** The phases with their epochs. */
function phasesOf(epochs: readonly EpochRecord[]): readonly Readonly<Stretch>[] {
  const stretches: Stretch[] = [];
  for (const { epoch, phase = "training" } of epochs) {
    const last = stretches.at(-1);
    if (last?.phase === phase) last.to = epoch;
    else stretches.push({ phase, from: epoch, to: epoch });
  }
  return stretches;
}

/** mu over the epochs, where it is steered to a budget. */
function priorStrengthCurve(
  epochs: readonly EpochRecord[],
  categories: readonly string[],
  { borders = [] }: Pick<LineFigure, "borders">,
): Markup[] {
  const values = epochs.map(({ priorStrength }) => priorStrength ?? null);
  if (new Set(values.filter((value) => value !== null)).size < 2) return [];
  return [
    lineFigure({
      id: "prior-strength",
      title: "Prior strength mu, steered to the budget (logarithmic)",
      unit: "",
      category: "epoch",
      categories,
      logarithmic: true,
      series: [{ name: "mu", values }],
      borders,
      note: "It ends where gates are fixed at their test-time values.",
    }),
  ];
}

/** A heading with the unit of what stands below it: "Top-1, %". */
const metricHead = ({ unit }: Metric, name: string): string => (unit === "" ? name : `${name}, ${unit}`);

const splitOf = (epochs: readonly EpochRecord[]): string => epochs.at(-1)?.evaluation.split ?? "test";

function epochTable(record: RunRecord): Markup {
  const { epochs, task, times, quantizers } = record;
  const ofGates = learnsGates(record);
  const column =
    (show: (value: number) => string) =>
    (title: string, value: (epoch: EpochRecord) => number | null): Column<EpochRecord> => ({
      title,
      kind: "number",
      value,
      show: (row) => {
        const number = value(row);
        return number === null ? "–" : show(number);
      },
    });
  const metric = mainMetric(task);
  const loss = column((value) => fixed(value, 4));
  const taskLoss = column((value) => digitsText(task.loss, value));
  const main = column((value) => digitsText(metric, value));
  const rate = column((value) => significant(value, 3));
  const bops = column((value) => fixed(value, 3));
  const split = splitOf(epochs);
  return table<EpochRecord>({
    id: "epoch-table",
    caption: "Figures of every epoch",
    columns: [
      { title: "Epoch", kind: "number", value: ({ epoch }) => epoch },
      { title: "Phase", value: ({ phase }) => phase ?? "training" },
      { title: "Steps", kind: "number", value: ({ step }) => step, show: ({ step }) => integer(step) },
      loss("Loss", ({ train }) => train.loss),
      taskLoss(capital(task.loss.label), ({ train }) => train.taskLoss),
      ...(ofGates ? [rate("Complexity", ({ train }) => train.complexity)] : []),
      main(metricHead(metric, `${capital(metric.label)} training`), ({ train }) => train.metrics[metric.key] ?? null),
      main(metricHead(metric, `${capital(metric.label)} ${split}`), ({ evaluation }) =>
        mainValue(task, evaluation.metrics),
      ),
      taskLoss(`${capital(task.loss.label)} ${split}`, ({ evaluation }) => evaluation.taskLoss),
      bops("Relative BOPs, %", ({ relativeBops }) => relativeBops),
      rate("Rate: weights", ({ learningRates }) => learningRates.weights),
      ...(ofGates ? [rate("Rate: gates", ({ learningRates }) => learningRates.gates)] : []),
      ...(quantizers.length > 0 ? [rate("Rate: ranges", ({ learningRates }) => learningRates.ranges)] : []),
      {
        title: "Time",
        kind: "number",
        value: ({ epoch }) => times.epochSeconds[epoch - 1] ?? null,
        show: ({ epoch }) => {
          const seconds = times.epochSeconds[epoch - 1];
          return seconds === undefined ? "–" : duration(seconds);
        },
      },
    ],
    rows: epochs,
    hidesUniform: true,
  });
}
