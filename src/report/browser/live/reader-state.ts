import { all, one } from "../dom.ts";

/**
 * Finds the element that takes this one's place when the part of the page around it gets new content.
 *
 * @param byWords Whether it is known by its words: columns come and go.
 */
function counterpart<E extends HTMLElement>(
  kind: new () => E,
  element: E,
  selector: string,
  { byWords = false } = {},
): (act: (now: E) => void) => void {
  const id = element.parentElement?.closest("[id]")?.id ?? "";
  const words = element.textContent;
  const position = (holder: Element) =>
    all(kind, selector, holder).filter((other) => !byWords || other.textContent === words);
  const old = document.getElementById(id);
  const index = old ? position(old).indexOf(element) : -1;
  return (act) => {
    const now = document.getElementById(id);
    const found = now && position(now)[index];
    if (found) act(found);
  };
}

const scrolling = ".scroll, .listing, .plot";

/** Notes what the reader has done to a part of the page; the function that it gives does it again. */
export function rememberReader(part: HTMLElement): () => void {
  const acts: (() => void)[] = [];
  for (const head of all(HTMLTableCellElement, "th[aria-sort]", part)) {
    const again = counterpart(HTMLTableCellElement, head, "thead th", { byWords: true });
    const clicks = head.getAttribute("aria-sort") === "ascending" ? 1 : 2;
    acts.push(() =>
      again((now) => {
        for (let click = 0; click < clicks; click++) one(HTMLButtonElement, "button", now).click();
      }),
    );
  }
  for (const scroller of all(HTMLElement, scrolling, part)) {
    const { scrollTop, scrollLeft } = scroller;
    const again = counterpart(HTMLElement, scroller, scrolling);
    if (scrollTop || scrollLeft) acts.push(() => again((now) => now.scrollTo(scrollLeft, scrollTop)));
  }
  for (const details of all(HTMLDetailsElement, "details", part)) {
    const { open } = details;
    const again = counterpart(HTMLDetailsElement, details, "details");
    acts.push(() =>
      again((now) => {
        now.open = open;
      }),
    );
  }
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && part.contains(focused)) {
    const byWords = focused.textContent !== "" && !focused.matches("[tabindex]");
    const again = counterpart(HTMLElement, focused, "a, button, summary, [tabindex]", { byWords });
    acts.push(() => again((now) => now.focus({ preventScroll: true })));
  }
  return () => {
    for (const act of acts) act();
  };
}

/** Notes what begins in view first; the function that it gives scrolls so that it stands where it was. */
export function holdPlace(): () => void {
  const nowhere = () => {};
  if (scrollY === 0) return nowhere;
  const topOf = (element: Element) => element.getBoundingClientRect().top;
  const section = all(HTMLElement, "main > section").find((one) => one.getBoundingClientRect().bottom > 0);
  if (section === undefined) return nowhere;
  const first = all(HTMLElement, "h2, figure, .table", section).find((one) => topOf(one) >= 0) ?? section;
  const { id } = first;
  const before = topOf(first);
  return () => {
    const now = document.getElementById(id);
    if (now) scrollBy({ top: topOf(now) - before, behavior: "instant" });
  };
}
