import type { Line } from "./data.ts";
import { make } from "./dom.ts";

/** A place in the window, in pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

const [aside, above, margin] = [14, 10, 4];

const tip = document.body.appendChild(make("div", { class: "tip", role: "status", hidden: "" }));

/** Tells values beside a place, inside the window. */
export function showTip(title: string, lines: readonly Line[], { x, y }: Place): void {
  tip.replaceChildren(make("strong", { text: title }), ...lines.map(lineElement));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + aside + width > innerWidth ? x - aside - width : x + aside;
  tip.style.left = `${within(left, innerWidth - width)}px`;
  tip.style.top = `${within(y - height - above, innerHeight - height)}px`;
}

export function hideTip(): void {
  tip.hidden = true;
}

const within = (position: number, room: number): number => Math.max(margin, Math.min(position, room - margin));

function lineElement([name, value]: Line): HTMLElement {
  const line = make("div");
  line.append(make("bdi", { text: name }), make("span", { text: value }));
  return line;
}
