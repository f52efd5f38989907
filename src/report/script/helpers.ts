/** What the other parts of the page's script use. */
export const helpers = `
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (tag, { text, ...attributes } = {}) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const dataOf = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
const said = document.body.appendChild(make("div", { class: "hidden", role: "status" }));
// Under fine pointers the tools of a chart show when it is pointed at or has the focus.
const toolbox = (holder) => holder.querySelector(":scope > .tools") ?? holder.insertBefore(make("div", { class: "tools" }), holder.children[1] ?? null);
const tool = (text, label, act) => {
  const button = make("button", { type: "button", class: "tool" });
  const shown = button.appendChild(make("span", { text }));
  button.append(make("span", { class: "hidden", text: ": " + label }));
  button.addEventListener("click", async () => {
    const done = await act();
    said.textContent = done;
    shown.textContent = done;
    setTimeout(() => { shown.textContent = text; said.textContent = ""; }, 1500);
  });
  return button;
};
`;
