import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { foreign, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";

/** What the user should know of the file; null where there is nothing to say. */
export function noteSection({ notes }: QuantizedRecord): Section | null {
  if (notes.length === 0) return null;
  return {
    id: "notes",
    title: "Notes",
    body: markup`<ul class="warnings">${notes.map((note) => markup`<li>${foreign(note, 600)}</li>\n`)}</ul>`,
  };
}
