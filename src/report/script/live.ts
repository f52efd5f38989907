/**
 * Follows a run: the server says when there is a new state, and the parts of the page that differ get the new content.
 * What the reader has done to them stays: place, sorting, scrolling, opened details, focus.
 */
export const live = `
const partsOf = (root) => all("#head, #sections, main > section", root);
// As the server sent them: buttons, sorting and the like are not in it.
const sent = new Map(partsOf(document).map((part) => [part.id, part.outerHTML]));
const counterpart = (element, selector) => {
  const holder = element.parentElement.closest("[id]");
  const index = all(selector, holder).indexOf(element);
  return (act) => {
    const now = document.getElementById(holder.id);
    const found = now && all(selector, now)[index];
    if (found) act(found);
  };
};
const remember = (part) => {
  const acts = [];
  for (const head of all("th[aria-sort]", part)) {
    const again = counterpart(head, "thead th");
    const clicks = head.getAttribute("aria-sort") === "ascending" ? 1 : 2;
    acts.push(() => again((now) => { for (let click = 0; click < clicks; click++) now.querySelector("button").click(); }));
  }
  for (const scroller of all(".scroll, .listing, .plot", part)) {
    const { scrollTop, scrollLeft } = scroller;
    const again = counterpart(scroller, ".scroll, .listing, .plot");
    if (scrollTop || scrollLeft) acts.push(() => again((now) => now.scrollTo(scrollLeft, scrollTop)));
  }
  for (const details of all("details", part)) {
    const { open } = details;
    const again = counterpart(details, "details");
    acts.push(() => again((now) => { now.open = open; }));
  }
  const focused = document.activeElement;
  if (part.contains(focused)) {
    const again = counterpart(focused, "a, button, summary, [tabindex]");
    acts.push(() => again((now) => now.focus({ preventScroll: true })));
  }
  return () => { for (const act of acts) act(); };
};
// The first thing that begins in view stays where it is, whatever changes above it.
const holdPlace = () => {
  if (scrollY === 0) return () => {};
  const topOf = (element) => element.getBoundingClientRect().top;
  const section = all("main > section").find((one) => one.getBoundingClientRect().bottom > 0);
  if (!section) return () => {};
  const { id } = all("h2, figure, .table", section).find((one) => topOf(one) >= 0) ?? section;
  const before = topOf(document.getElementById(id));
  return () => {
    const now = document.getElementById(id);
    if (now) scrollBy({ top: topOf(now) - before, behavior: "instant" });
  };
};
const replace = (part, index) => {
  if (sent.get(part.id) === part.outerHTML) return;
  sent.set(part.id, part.outerHTML);
  const old = document.getElementById(part.id);
  const putBack = old ? remember(old) : () => {};
  // The element stays: a browser knows the size of one that it does not draw.
  if (old) old.replaceChildren(...part.childNodes);
  else document.querySelector("main").insertBefore(part, document.querySelector("main").children[index]);
  setUp(old ?? part);
  putBack();
};
const show = (fresh) => {
  hideTip();
  document.title = fresh.title;
  const returnToPlace = holdPlace();
  for (const section of all("main > section")) if (!fresh.getElementById(section.id)) section.remove();
  all("main > section", fresh).forEach(replace);
  for (const part of all("#head, #sections", fresh)) replace(part);
  returnToPlace();
};
const line = document.getElementById("live");
const tell = (text) => {
  const status = line.querySelector("[role=status]");
  if (status.textContent !== text) status.textContent = text;
};
let shown = Number(line.dataset.version);
let latest = shown;
let ended = false;
let work = Promise.resolve();
const catchUp = async () => {
  // A page that nobody looks at waits, so that the run need not draw it.
  if (shown >= latest || (document.hidden && !ended)) return;
  try {
    const response = await fetch("/", { cache: "no-store" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    show(fresh);
    shown = Number(fresh.getElementById("live").dataset.version);
    line.querySelector(".when").textContent = "Changed at " + new Date().toLocaleTimeString("en-GB") + ".";
  } catch {
    tell("The training process cannot be reached; trying again.");
  }
};
const follow = (version) => {
  latest = Number(version);
  work = work.then(catchUp);
  return work;
};
document.addEventListener("visibilitychange", () => follow(latest));
const source = new EventSource("/events");
source.addEventListener("open", () => tell("Live: this page follows the run."));
source.addEventListener("error", () => tell("The training process cannot be reached; trying again."));
source.addEventListener("state", ({ data }) => follow(data));
source.addEventListener("end", async ({ data }) => {
  ended = true;
  await follow(data);
  // Tells the server that it need not wait for this page.
  source.close();
  tell("The training process has ended: this is what it left.");
});
`;
