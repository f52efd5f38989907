import type { EpochRecord, RunRecord } from "../../../runs/record.ts";
import { lineFigure } from "../../charts/line-figure.ts";
import { duration, fixed, integer, significant } from "../../page/format.ts";
import { type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";

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

function curves({ epochs }: RunRecord): Markup[] {
  const categories = epochs.map(({ epoch }) => String(epoch));
  const by = (value: (epoch: EpochRecord) => number) => epochs.map(value);
  const split = splitOf(epochs);
  const phases = phasesOf(epochs);
  const note = phases.length > 1 ? { note: `Epochs: ${phases.join(", ")}.` } : {};
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
        { name: "cross-entropy", values: by(({ train }) => train.crossEntropy) },
        { name: `${split} cross-entropy`, values: by(({ evaluation }) => evaluation.crossEntropy) },
      ],
    }),
    lineFigure({
      ...note,
      id: "accuracy",
      title: "Top-1, %",
      unit: "\u202f%",
      category: "epoch",
      categories,
      series: [
        { name: `${split}, test-time gates`, values: by(({ evaluation }) => evaluation.top1) },
        { name: "training, sampled gates", values: by(({ train }) => train.top1) },
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
    lineFigure({
      ...note,
      id: "complexity",
      title: "Complexity term, before the prior strength",
      unit: "",
      category: "epoch",
      categories,
      series: [{ name: "complexity", values: by(({ train }) => train.complexity) }],
    }),
    ...priorStrengthCurve(epochs, categories),
  ];
}

/** The phases with their epochs, as `1–3 pretraining`. */
function phasesOf(epochs: readonly EpochRecord[]): readonly string[] {
  const stretches: { readonly phase: string; readonly from: number; to: number }[] = [];
  for (const { epoch, phase = "training" } of epochs) {
    const last = stretches.at(-1);
    if (last?.phase === phase) last.to = epoch;
    else stretches.push({ phase, from: epoch, to: epoch });
  }
  return stretches.map(({ phase, from, to }) => `${from === to ? from : `${from}–${to}`} ${phase}`);
}

/** mu over the epochs, where it is steered to a budget. */
function priorStrengthCurve(epochs: readonly EpochRecord[], categories: readonly string[]): Markup[] {
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
      note: "It ends where gates are fixed at their test-time values.",
    }),
  ];
}

const splitOf = (epochs: readonly EpochRecord[]): string => epochs.at(-1)?.evaluation.split ?? "test";

function epochTable({ epochs, times }: RunRecord): Markup {
  const column =
    (show: (value: number) => string) =>
    (title: string, value: (epoch: EpochRecord) => number): Column<EpochRecord> => ({
      title,
      kind: "number",
      value,
      show: (row) => show(value(row)),
    });
  const loss = column((value) => fixed(value, 4));
  const top1 = column((value) => fixed(value, 2));
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
      loss("Cross-entropy", ({ train }) => train.crossEntropy),
      loss("Complexity", ({ train }) => train.complexity),
      top1("Top-1 training, %", ({ train }) => train.top1),
      top1(`Top-1 ${split}, %`, ({ evaluation }) => evaluation.top1),
      loss(`Cross-entropy ${split}`, ({ evaluation }) => evaluation.crossEntropy),
      bops("Relative BOPs, %", ({ relativeBops }) => relativeBops),
      rate("Rate: weights", ({ learningRates }) => learningRates.weights),
      rate("Rate: gates", ({ learningRates }) => learningRates.gates),
      rate("Rate: ranges", ({ learningRates }) => learningRates.ranges),
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
  });
}
