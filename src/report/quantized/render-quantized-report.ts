import { basename } from "node:path";
import { budgetText } from "../../ptq/budget-text.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { duration } from "../page/format.ts";
import { pageText } from "../page/html-page.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { activationSection } from "./activation-section.ts";
import { budgetSection } from "./budget-section.ts";
import { layerSection } from "./layer-section.ts";
import { leftSection } from "./left-section.ts";
import { lossSection } from "./loss-section.ts";
import { noteSection } from "./note-section.ts";
import { outputSection } from "./output-section.ts";
import { quantizedHeadline } from "./quantized-headline.ts";
import { settingsSection } from "./settings-section.ts";

/**
 * The report of a quantized file as one HTML file, made from its record alone. It loads nothing from anywhere, and the
 * same record gives the same bytes.
 */
export function renderQuantizedReport(record: QuantizedRecord): string {
  const name = basename(record.source.file);
  return pageText({
    title: `${name}, quantized · Bayesian Bits`,
    header: header(name, record),
    sections: [
      lossSection(record),
      outputSection(record),
      layerSection(record),
      leftSection(record),
      activationSection(record),
      noteSection(record),
      budgetSection(record),
      settingsSection(record),
    ].filter((section) => section !== null),
    footer: markup`Made from the run’s record, quantized.json, by Bayesian Bits. Nothing was trained: the file’s own graph was kept, and its weights were put on grids.`,
  });
}

function header(name: string, record: QuantizedRecord): Markup {
  const { loss, runtime, seconds } = record;
  return markup`<p class="kind">Bayesian Bits report of a quantized file</p>
<h1>${foreign(name, 120)}</h1>
<p class="about">${widths(record)} · compared in ${foreign(runtime, 40)} · ${duration(seconds)}</p>
${loss && markup`<p class="banner"><strong>Below the thresholds:</strong> ${foreign(loss.text, 2000)}.</p>`}
${quantizedHeadline(record)}`;
}

function widths({ settings: { bits, method } }: QuantizedRecord): Markup {
  const ofWeights = "budget" in bits ? `weights within ${budgetText(bits.budget)}` : `weights of ${bits.weights} bits`;
  const widthsOf = { 8: "of 8 bits", 16: "of 16 bits", 32: "in float", budget: "within the budget too" };
  const ofActivations = widthsOf[bits.activations ?? 32];
  return markup`${ofWeights}, ${method.name} · activations ${ofActivations}`;
}
