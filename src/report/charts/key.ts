import { type Markup, markup, trusted } from "../page/markup.ts";

/** A line in a chart's key. @param path In 22 × 12 pixels. */
export const lineKey = (
  { path, colour, dash = "" }: { readonly path: string; readonly colour: string; readonly dash?: string },
  text: string,
): Markup =>
  markup`<li><svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"${dash !== "" && markup` stroke-dasharray="${dash}"`}/></svg>${text}</li>`;

/** The line of {@link frontLine}. */
export const frontKey = (text: string): Markup => lineKey({ path: "M0 9H11V3H22", colour: "var(--accent)" }, text);

/** A mark in a chart's key. @param sign Around the origin. */
export const markKey = (sign: Markup, text: string): Markup =>
  markup`<li><svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">${sign}</svg>${text}</li>`;

/** Around what was chosen, or lies on a front. */
export const ring: Markup = trusted('<circle r="8" fill="none" stroke="var(--accent)" stroke-width="1.5"/>');
