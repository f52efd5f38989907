import { all, make } from "./dom.ts";

/** How long a button tells what it has done, in milliseconds. */
const told = 1500;

/** Tells readers who do not see the page what a button has done. */
const said = document.body.appendChild(make("div", { class: "hidden", role: "status" }));

/** Where the buttons of a table or chart stand. Under fine pointers a chart's show when it is pointed at or has the focus. */
export const toolbox = (holder: HTMLElement): HTMLElement =>
  all(HTMLElement, ":scope > .tools", holder)[0] ??
  holder.insertBefore(make("div", { class: "tools" }), holder.children[1] ?? null);

/** A button that acts, and then says for a moment what has come of it. */
export function tool(text: string, label: string, act: () => Promise<string> | string): HTMLButtonElement {
  const button = make("button", { type: "button", class: "tool" });
  const shown = button.appendChild(make("span", { text }));
  button.append(make("span", { class: "hidden", text: `: ${label}` }));
  button.addEventListener("click", async () => {
    const done = await act();
    said.textContent = done;
    shown.textContent = done;
    setTimeout(() => {
      shown.textContent = text;
      said.textContent = "";
    }, told);
  });
  return button;
}
