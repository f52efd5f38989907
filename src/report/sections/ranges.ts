import type { RunRecord } from "../../runs/record.ts";
import { seriesPerFigure } from "../figure.ts";
import { lineFigure } from "../line-figure.ts";
import { type Markup, markup } from "../markup.ts";
import { later, type Section } from "./section.ts";

type Quantizer = RunRecord["quantizers"][number];

/** The learned ranges by epoch: a few quantizers to a chart, so that the lines can be told apart. */
export function rangeSection(record: RunRecord): Section {
  const charts = (["weight", "activation"] as const).flatMap((role) => chartsOf(record, role));
  return {
    id: "ranges",
    title: "Ranges over the epochs",
    body:
      record.epochs.length === 0
        ? later("No epoch is finished yet.")
        : markup`<p>The learned x<sub>max</sub> of each quantizer: what lies beyond it is clipped. Signed grids reach from −x<sub>max</sub> to x<sub>max</sub>, unsigned ones from 0.</p><div class="figures">${charts}</div>`,
  };
}

function chartsOf(record: RunRecord, role: Quantizer["role"]): Markup[] {
  const quantizers = record.quantizers.filter((quantizer) => quantizer.role === role);
  const charts: Markup[] = [];
  for (let start = 0; start < quantizers.length; start += seriesPerFigure) {
    charts.push(
      lineFigure({
        id: `range-${role}-${start / seriesPerFigure + 1}`,
        title: `${role === "weight" ? "Weights" : "Activations"}: x_max (logarithmic)`,
        unit: "",
        category: "epoch",
        categories: record.epochs.map(({ epoch }) => String(epoch)),
        logarithmic: true,
        series: quantizers.slice(start, start + seriesPerFigure).map(({ id, layer }) => ({
          name: layer,
          values: record.epochs.map(({ quantizers: learned }) => learned[id]?.xMax ?? null),
        })),
      }),
    );
  }
  return charts;
}
