import type { StripData } from "./data.ts";
import { one } from "./dom.ts";
import { cellAt } from "./positions.ts";
import { hideTip, type Place, showTip } from "./tip.ts";

/** Strips tell the value of the cell under the pointer. All share two listeners: a page may have thousands. */
export function setUpStrips(): void {
  document.addEventListener("pointermove", (event) => {
    const strip = stripOf(event);
    if (strip) show(strip, { x: event.clientX, y: event.clientY });
  });
  document.addEventListener("pointerout", (event) => {
    if (stripOf(event)) hideTip();
  });
}

function stripOf({ target }: Event): SVGElement | null {
  const strip = target instanceof Element ? target.closest("[data-strip]") : null;
  return strip instanceof SVGElement ? strip : null;
}

/** By their elements, which the live page replaces. */
const parsed = new WeakMap<Element, StripData>();

function dataOf(id: string): StripData {
  const block = one(HTMLScriptElement, `script[id="${id}"]`);
  const data: StripData = parsed.get(block) ?? JSON.parse(block.text);
  parsed.set(block, data);
  return data;
}

function show(strip: SVGElement, pointer: Place): void {
  const [block = "", row = "", key = ""] = strip.dataset.strip?.split(" ") ?? [];
  const { category, unit, labels, rows } = dataOf(block);
  const values = rows[Number(row)]?.[key] ?? [];
  const { left, width } = strip.getBoundingClientRect();
  const index = cellAt(pointer.x - left, width, values.length);
  showTip(`${category} ${labels ? labels[index] : index + 1}`, [[unit[key] ?? key, String(values[index])]], pointer);
}
