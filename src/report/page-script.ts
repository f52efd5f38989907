/**
 * The page's only script, as text: it runs in the reader's browser, not here. Without it everything can be read; with
 * it tables sort and copy as CSV, charts tell exact values (pointer, or arrow keys) and save as SVG.
 */
const helpers = `
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (tag, { text, ...attributes } = {}) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const dataOf = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
const said = document.body.appendChild(make("div", { class: "hidden", role: "status" }));
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

const tables = `
const valueOf = (cell) => cell.dataset.value ?? cell.textContent.trim();
const compare = (numeric, direction) => (one, other) => {
  if (one.value === "" || other.value === "") return (one.value === "") - (other.value === "");
  return direction * (numeric ? Number(one.value) - Number(other.value) : one.value.localeCompare(other.value, "en", { numeric: true }));
};
const sortBy = (table, head) => {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const order = compare(head.className !== "", up ? 1 : -1);
  const rows = all("tbody tr", table).map((row) => ({ row, value: valueOf(row.cells[head.cellIndex]) }));
  table.tBodies[0].append(...rows.sort(order).map(({ row }) => row));
};
for (const table of all("table[data-sort]")) {
  for (const head of all("thead th", table)) {
    const button = make("button", { type: "button", text: head.textContent });
    button.addEventListener("click", () => sortBy(table, head));
    head.replaceChildren(button);
  }
}
const csvCell = (cell) => {
  const value = valueOf(cell);
  const isNumber = value !== "" && Number.isFinite(Number(value));
  const text = !isNumber && /^[=+@\\t\\r-]/.test(value) ? "'" + value : value;
  return /[",\\r\\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
};
const csvOf = (table) => all("thead tr, tbody tr", table).map((row) => [...row.cells].map(csvCell).join(",")).join("\\r\\n") + "\\r\\n";
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(make("textarea", { class: "hidden" }));
    area.value = text;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) return "Not allowed";
  }
  return "Copied";
};
for (const holder of all(".table")) {
  const table = holder.querySelector("table");
  holder.append(tool("Copy CSV", holder.querySelector(".caption").textContent, () => copy(csvOf(table))));
}
`;

const values = `
const tip = document.body.appendChild(make("div", { class: "tip", role: "status", hidden: "" }));
const showTip = (title, lines, x, y) => {
  tip.replaceChildren(make("strong", { text: title }), ...lines.map(([name, value]) => {
    const line = make("div");
    line.append(make("bdi", { text: name }), make("span", { text: value }));
    return line;
  }));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width > innerWidth ? x - 14 - width : x + 14;
  tip.style.left = Math.max(4, Math.min(left, innerWidth - width - 4)) + "px";
  tip.style.top = Math.max(4, Math.min(y - height - 10, innerHeight - height - 4)) + "px";
};
const hideTip = () => { tip.hidden = true; };
const say = (value, unit) => value === null ? "–" : value + unit;
const nearest = (position, count) => Math.max(0, Math.min(count - 1, Math.round(position)));
const setUpChart = (figure) => {
  const data = dataOf(figure.id + "-data");
  const plot = figure.querySelector(".plot");
  const isLine = figure.dataset.axis === "x";
  const count = data.categories.length;
  const cursor = plot.appendChild(make("div", { class: "cursor", hidden: "" }));
  const picture = () => all("svg", plot).find((svg) => svg.getBoundingClientRect().width > 0);
  let at = count - 1;
  const pixelOf = (svg, index) => {
    const [first, last] = [Number(svg.dataset.first), Number(svg.dataset.last)];
    const box = svg.getBoundingClientRect();
    return (count > 1 ? first + (last - first) * index / (count - 1) : first) * box.width / svg.viewBox.baseVal.width;
  };
  const show = (index, x, y) => {
    at = index;
    const svg = picture();
    const box = svg.getBoundingClientRect();
    const pixel = pixelOf(svg, index);
    cursor.hidden = !isLine;
    cursor.style.left = pixel + "px";
    const lines = data.series.map(({ name, values }) => [name, say(values[index], data.unit)]);
    showTip(data.category + " " + data.categories[index], lines, x ?? box.left + (isLine ? pixel : box.width / 2), y ?? box.top + (isLine ? 40 : pixel));
  };
  const hide = () => { cursor.hidden = true; hideTip(); };
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", figure.querySelector("figcaption").textContent + ": arrow keys tell the values");
  plot.addEventListener("pointermove", (event) => {
    const svg = picture();
    const box = svg.getBoundingClientRect();
    const position = isLine ? event.clientX - box.left : event.clientY - box.top;
    const [first, last] = [pixelOf(svg, 0), pixelOf(svg, count - 1)];
    show(nearest(count > 1 ? (position - first) / (last - first) * (count - 1) : 0, count), event.clientX, event.clientY);
  });
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined) return;
    event.preventDefault();
    show(nearest(to, count));
  });
};
const strips = dataOf("strips");
const setUpStrip = (strip) => {
  const [quantizer, row] = strip.dataset.strip.split(" ");
  const values = strips.quantizers[quantizer][row];
  strip.addEventListener("pointermove", (event) => {
    const box = strip.getBoundingClientRect();
    const index = nearest(Math.floor((event.clientX - box.left) / box.width * values.length), values.length);
    showTip("epoch " + strips.epochs[index], [[row === "bits" ? "bits" : "probability", String(values[index])]], event.clientX, event.clientY);
  });
  strip.addEventListener("pointerleave", hideTip);
};
`;

const saving = `
const svgElement = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
// A saved chart stands alone: variables become colours, and the title and the key, HTML in the page, go into the picture.
const standalone = (figure) => {
  const root = getComputedStyle(document.documentElement);
  const shown = all(".plot > svg", figure).find((svg) => svg.getBoundingClientRect().width > 0);
  const svg = shown.cloneNode(true);
  const { width, height } = shown.viewBox.baseVal;
  const keys = all(".key li", figure);
  const top = 24;
  const full = top + height + keys.length * 18 + 8;
  const body = svgElement("g", { transform: "translate(0 " + top + ")" });
  body.append(...svg.childNodes);
  svg.append(svgElement("rect", { width, height: full, fill: "var(--paper)" }));
  svg.append(svgElement("text", { x: 6, y: 16, "font-size": 13, "font-weight": 600, fill: "var(--ink)" }, figure.querySelector("figcaption").textContent));
  svg.append(body);
  keys.forEach((item, index) => {
    const line = svgElement("g", { transform: "translate(6 " + (top + height + index * 18 + 4) + ")" });
    line.append(...item.querySelector("svg").cloneNode(true).childNodes);
    line.append(svgElement("text", { x: 30, y: 10, "font-size": 11, fill: "var(--ink)" }, item.textContent));
    svg.append(line);
  });
  for (const name of ["class", "data-first", "data-last"]) svg.removeAttribute(name);
  for (const [name, value] of Object.entries({ viewBox: "0 0 " + width + " " + full, width, height: full, "font-family": "system-ui, sans-serif" })) svg.setAttribute(name, value);
  const text = new XMLSerializer().serializeToString(svg);
  return text.replace(/var\\((--[\\w-]+)\\)/g, (whole, name) => root.getPropertyValue(name).trim() || whole);
};
const save = (name, text) => {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return "Saved";
};
for (const figure of all("figure.chart")) {
  const title = figure.querySelector("figcaption");
  title.after(tool("Save SVG", title.textContent, () => save(figure.id + ".svg", standalone(figure))));
  setUpChart(figure);
}
for (const strip of all("[data-strip]")) setUpStrip(strip);
`;

export const pageScript = `(() => {\n"use strict";${helpers}${tables}${values}${saving}})();\n`;
