import { type Markup, type MarkupValue, markup } from "./markup.ts";

export interface Section {
  /** Unique in the page: the target of the navigation. */
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

/** A section as the page shows it. */
export const sectionMarkup = ({ id, title, body }: Section): Markup =>
  markup`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${body}\n</section>\n`;

/** Names and values, two columns. */
export const facts = (pairs: readonly (readonly [string, MarkupValue])[]): Markup =>
  markup`<dl class="facts">${pairs.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;

/** What stands where figures are still missing. */
export const later = (what: string): Markup => markup`<p class="note">${what}</p>`;
