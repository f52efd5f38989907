import { type Drawing, picture } from "../../charts/picture.ts";
import { type Markup, markup } from "../../page/markup.ts";

const size = { width: 340, height: 260 } as const;
export const frame = { left: 48, right: 26, top: 8, bottom: 36 } as const;
export const [across, down] = [size.width - frame.left - frame.right, size.height - frame.top - frame.bottom] as const;

export const baseline = markup`<path d="M${frame.left} ${frame.top}V${frame.top + down}H${frame.left + across}" fill="none" stroke="var(--axis)"/>`;

const text = (x: number, y: number, anchor: string, content: string): Markup =>
  markup`<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" fill="var(--muted)">${content}</text>`;

export const below = (x: number, content: string): Markup => text(x, size.height - 18, "middle", content);
export const beside = (y: number, content: string): Markup => text(frame.left - 6, y, "end", content);

interface Plot extends Omit<Parameters<typeof picture>[0], "wide" | "narrow"> {
  readonly content: Markup;
}

/** A plot of half a column's width, as it is on phones too. */
export function smallPlot({ content, ...rest }: Plot): Markup {
  const drawing: Drawing = { ...size, content };
  return picture({ ...rest, wide: drawing, narrow: drawing });
}

export const round = (value: number): number => Math.round(value * 10) / 10;
