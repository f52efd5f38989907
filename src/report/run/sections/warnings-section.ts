import type { RunRecord } from "../../../runs/record.ts";
import { integer } from "../../page/format.ts";
import { foreign, markup } from "../../page/markup.ts";
import type { Section } from "../../page/section.ts";

/** What the run warned of; null where it had nothing to say. */
export function warningSection({ warnings }: RunRecord): Section | null {
  if (warnings.length === 0) return null;
  return {
    id: "warnings",
    title: "Warnings",
    body: markup`<ul class="warnings">${warnings.map(
      ({ step, message }) =>
        markup`<li><span class="step">${step === 0 ? "before training" : `step ${integer(step)}`}</span> ${foreign(message, 600)}</li>\n`,
    )}</ul>`,
  };
}
