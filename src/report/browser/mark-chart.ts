import type { MarkData } from "./data.ts";
import { all, dataText, lazily } from "./dom.ts";
import { type Plot, shownPicture, walkByKeys } from "./plots.ts";
import { hideTip, type Place, showTip } from "./tip.ts";

/** How far from a mark's centre the pointer may be, in pixels. */
const reach = 28;

/** A picture made of marks tells the values of the one under the pointer, or near it. */
export function setUpMarkChart({ figure, plot }: Plot): void {
  const read = lazily((): MarkData => JSON.parse(dataText(`${figure.id}-data`)));
  let told = -1;
  const elements = () => {
    const svg = shownPicture(plot);
    return svg === null ? [] : all(SVGElement, "[data-i]:not(.out)", svg);
  };
  const hide = () => {
    for (const element of all(Element, ".at", plot)) element.classList.remove("at");
    plot.classList.remove("goes");
    hideTip();
  };
  const show = (index: number, pointer?: Place) => {
    hide();
    told = index;
    const element = elements().find((one) => indexOf(one) === index);
    const mark = read().marks[index];
    if (element === undefined || mark === undefined) return;
    element.classList.add("at");
    if (pointer === undefined) element.scrollIntoView({ block: "nearest", inline: "nearest" });
    plot.classList.toggle("goes", mark.goesTo !== undefined);
    showTip(mark.title, mark.lines, pointer ?? { x: centreOf(element).x, y: element.getBoundingClientRect().top });
  };
  plot.addEventListener("pointermove", ({ target, clientX: x, clientY: y }) => {
    const under = target instanceof Element ? target.closest("[data-i]:not(.out)") : null;
    const element = under instanceof SVGElement ? under : nearestTo({ x, y }, elements());
    if (element === null) hide();
    else show(indexOf(element), { x, y });
  });
  const go = (index: number) => {
    const { goesTo } = read().marks[index] ?? {};
    if (goesTo !== undefined) location.hash = goesTo;
  };
  plot.addEventListener("click", ({ target }) => {
    const element = target instanceof Element ? target.closest("[data-i]") : null;
    if (element instanceof SVGElement) go(indexOf(element));
  });
  plot.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") go(told);
  });
  walkByKeys(
    { figure, plot },
    { count: () => read().marks.length, columns: () => read().columns ?? 1, at: () => told, show, hide },
  );
}

const indexOf = ({ dataset }: SVGElement): number => Number(dataset.i);

function centreOf(element: Element): Place {
  const box = element.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

function nearestTo(place: Place, elements: readonly SVGElement[]): SVGElement | null {
  let [nearest, least]: [SVGElement | null, number] = [null, reach];
  for (const element of elements) {
    const centre = centreOf(element);
    const distance = Math.hypot(centre.x - place.x, centre.y - place.y);
    if (distance < least) [nearest, least] = [element, distance];
  }
  return nearest;
}
