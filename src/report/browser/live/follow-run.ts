import { one } from "../dom.ts";
import { sentParts, showFresh } from "./parts.ts";

const following = "Live: this page follows the run.";
const unreachable = "The training process cannot be reached; trying again.";
const gone = "The training process that this page followed is gone; the log of the next one has its address.";
const over = "The training process has ended: this is what it left.";

/**
 * Follows a run: the server says when there is a new state, and the parts of the page that differ get the new content.
 * What the reader has done to them stays: place, sorting, scrolling, opened details, focus.
 */
export function followRun(): void {
  const line = one(HTMLElement, "#live");
  const sent = sentParts();
  let shown = versionOf(document);
  let latest = shown;
  let isOver = false;
  let work = Promise.resolve();
  const tell = (text: string) => {
    const status = one(HTMLElement, "[role=status]", line);
    if (status.textContent !== text) status.textContent = text;
  };
  const catchUp = async () => {
    // A page that nobody looks at waits, so that the run need not draw it.
    if (shown >= latest || (document.hidden && !isOver)) return;
    try {
      const response = await fetch(location.pathname, { cache: "no-store" });
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      showFresh(fresh, sent);
      shown = versionOf(fresh);
      one(HTMLElement, ".when", line).textContent = `Changed at ${new Date().toLocaleTimeString("en-GB")}.`;
    } catch {
      tell(unreachable);
    }
  };
  const follow = (version: number) => {
    latest = version;
    work = work.then(catchUp);
    return work;
  };
  document.addEventListener("visibilitychange", () => follow(latest));
  const source = new EventSource("events");
  source.addEventListener("open", () => tell(following));
  // Closed: another process answers at this port, and has an address of its own.
  source.addEventListener("error", () => tell(source.readyState === EventSource.CLOSED ? gone : unreachable));
  // Not a live region: what changes twice a second is not for reading out.
  const step = one(HTMLElement, ".step", line);
  source.addEventListener("step", ({ data }) => {
    step.textContent = String(data);
  });
  source.addEventListener("state", ({ data }) => follow(Number(data)));
  source.addEventListener("end", async ({ data }) => {
    isOver = true;
    step.textContent = "";
    await follow(Number(data));
    // Tells the server that it need not wait for this page.
    source.close();
    tell(over);
  });
}

/** Which state of the run a page shows. */
const versionOf = (page: Document): number => Number(one(HTMLElement, "#live", page).dataset.version);
