import { all, one } from "./dom.ts";
import { indexAfter } from "./positions.ts";

/** A chart of the page: its frame, and in it what is drawn, in one or two widths. */
export interface Plot {
  readonly figure: HTMLElement;
  readonly plot: HTMLElement;
}

export const titleOf = (figure: HTMLElement): string => one(HTMLElement, "figcaption", figure).textContent;

/** The drawing that the page's width has chosen; null while none is shown. */
export const shownPicture = (plot: HTMLElement): SVGSVGElement | null =>
  all(SVGSVGElement, ":scope > svg", plot).find((svg) => svg.getBoundingClientRect().width > 0) ?? null;

/** How a chart tells its values one by one. */
export interface Walk {
  readonly count: () => number;
  /** Of values in rows, how many are in each. */
  readonly columns?: () => number;
  /** The index that is told now. */
  readonly at: () => number;
  readonly show: (index: number) => void;
  readonly hide: () => void;
}

/** Makes a chart take the focus, and arrow keys go from value to value. */
export function walkByKeys({ figure, plot }: Plot, { count, columns = () => 1, at, show, hide }: Walk): void {
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", `${titleOf(figure)}: arrow keys tell the values`);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const to = indexAfter(event.key, at(), count(), columns());
    if (to === null || count() === 0) return;
    event.preventDefault();
    show(to);
  });
}
