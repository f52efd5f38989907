import { all, one } from "../dom.ts";
import { setUp } from "../set-up.ts";
import { hideTip } from "../tip.ts";
import { holdPlace, rememberReader } from "./reader-state.ts";

const sections = "main > section";

/** As the server sent them: buttons, sorting and the like are not in it. */
export type SentParts = Map<string, string>;

export const sentParts = (): SentParts =>
  new Map(all(HTMLElement, `#head, #sections, ${sections}`).map((part) => [part.id, part.outerHTML]));

/** Puts a fresh page's content into those parts that differ. What the reader has done to the page stays. */
export function showFresh(fresh: Document, sent: SentParts): void {
  hideTip();
  document.title = fresh.title;
  const returnToPlace = holdPlace();
  for (const section of all(HTMLElement, sections)) if (!fresh.getElementById(section.id)) section.remove();
  for (const [index, section] of all(HTMLElement, sections, fresh).entries()) replace(section, sent, index);
  for (const part of all(HTMLElement, "#head, #sections", fresh)) replace(part, sent, 0);
  returnToPlace();
}

function replace(part: HTMLElement, sent: SentParts, index: number): void {
  if (sent.get(part.id) === part.outerHTML) return;
  sent.set(part.id, part.outerHTML);
  const old = document.getElementById(part.id);
  if (old === null) {
    const main = one(HTMLElement, "main");
    main.insertBefore(part, main.children[index] ?? null);
    setUp(part);
    return;
  }
  const putBack = rememberReader(old);
  // The element stays: a browser knows the size of one that it does not draw.
  old.replaceChildren(...part.childNodes);
  setUp(old);
  putBack();
}
