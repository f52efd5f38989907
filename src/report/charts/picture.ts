import type { Mark } from "../browser/data.ts";
import { type Markup, markup, trusted } from "../page/markup.ts";
import { figureFrame } from "./figure.ts";

/** A drawing whose marks carry `data-i`, their index in `marks`. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly content: Markup | string;
}

export interface Picture {
  /** Unique in the page; also the name of the saved file. */
  readonly id: string;
  readonly title: string;
  /** What a reader who does not see it should know. */
  readonly summary: string;
  readonly marks: readonly Mark[];
  /** Of marks that stand in rows: how many are in each. */
  readonly columns?: number;
  readonly wide: Drawing;
  /** For phones. */
  readonly narrow: Drawing;
  readonly key?: Markup;
  readonly note?: Markup | string;
}

/** A picture made of marks, each with its own values: a graph, a scatter plot. It takes the whole column. */
export function picture({ id, title, summary, marks, columns, wide, narrow, key, note }: Picture): Markup {
  return figureFrame({
    id,
    title,
    axis: "marks",
    key: key ?? null,
    plot: markup`${svg(wide, "wide", summary)}\n${svg(narrow, "narrow", summary)}`,
    note: note ?? null,
    data: { marks, ...(columns !== undefined && { columns }) },
  });
}

const svg = ({ width, height, content }: Drawing, size: "wide" | "narrow", summary: string): Markup =>
  markup`<svg class="${size}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" role="img" aria-label="${summary}">${typeof content === "string" ? trusted(content) : content}</svg>`;
