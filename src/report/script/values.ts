/**
 * Charts and strips tell exact values, under the pointer and by arrow keys. Their data is read when it is first asked
 * for, and all strips share two listeners: a page may have thousands.
 */
export const values = `
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
const shownPicture = (plot) => all(":scope > svg", plot).find((svg) => svg.getBoundingClientRect().width > 0);
const focusable = (figure, plot) => {
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", figure.querySelector("figcaption").textContent + ": arrow keys tell the values");
};
const lazily = (read) => { let value; return () => value ??= read(); };
const walk = (plot, counted, { at, show, hide }) => {
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const count = counted();
    const to = { ArrowRight: at() + 1, ArrowDown: at() + 1, ArrowLeft: at() - 1, ArrowUp: at() - 1, Home: 0, End: count - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined || count === 0) return;
    event.preventDefault();
    show(nearest(to, count));
  });
};
const setUpAxis = (figure) => {
  const read = lazily(() => dataOf(figure.id + "-data"));
  const count = () => read().categories.length;
  const plot = figure.querySelector(".plot");
  const isLine = figure.dataset.axis === "x";
  const cursor = plot.appendChild(make("div", { class: "cursor", hidden: "" }));
  const picture = () => shownPicture(plot);
  let at = null;
  const pixelOf = (svg, index) => {
    const [first, last] = [Number(svg.dataset.first), Number(svg.dataset.last)];
    const box = svg.getBoundingClientRect();
    return (count() > 1 ? first + (last - first) * index / (count() - 1) : first) * box.width / svg.viewBox.baseVal.width;
  };
  const show = (index, x, y) => {
    at = index;
    const data = read();
    const svg = picture();
    const box = svg.getBoundingClientRect();
    const pixel = pixelOf(svg, index);
    cursor.hidden = !isLine;
    cursor.style.left = pixel + "px";
    const lines = data.series.map(({ name, values }) => [name, say(values[index], data.unit)]);
    showTip(data.category + " " + data.categories[index], lines, x ?? box.left + (isLine ? pixel : box.width / 2), y ?? box.top + (isLine ? 40 : pixel));
  };
  const hide = () => { cursor.hidden = true; hideTip(); };
  focusable(figure, plot);
  plot.addEventListener("pointermove", (event) => {
    const svg = picture();
    const box = svg.getBoundingClientRect();
    const position = isLine ? event.clientX - box.left : event.clientY - box.top;
    const [first, last] = [pixelOf(svg, 0), pixelOf(svg, count() - 1)];
    show(nearest(count() > 1 ? (position - first) / (last - first) * (count() - 1) : 0, count()), event.clientX, event.clientY);
  });
  walk(plot, count, { at: () => at ?? count() - 1, show: (index) => show(index), hide });
};
const reach = 28;
const setUpMarks = (figure) => {
  const read = lazily(() => dataOf(figure.id + "-data").marks);
  const plot = figure.querySelector(".plot");
  let at = -1;
  const elements = () => all("[data-i]", shownPicture(plot));
  const centre = (element) => {
    const box = element.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2, box.top];
  };
  const hide = () => { for (const element of all(".at", plot)) element.classList.remove("at"); hideTip(); };
  const show = (index, x, y) => {
    hide();
    at = index;
    const element = elements().find(({ dataset }) => Number(dataset.i) === index);
    if (!element) return;
    element.classList.add("at");
    if (x === undefined) element.scrollIntoView({ block: "nearest", inline: "nearest" });
    const [left, , top] = centre(element);
    showTip(read()[index].title, read()[index].lines, x ?? left, y ?? top);
  };
  focusable(figure, plot);
  plot.addEventListener("pointermove", ({ target, clientX, clientY }) => {
    const under = target.closest("[data-i]");
    if (under) return show(Number(under.dataset.i), clientX, clientY);
    const distance = (element) => { const [x, y] = centre(element); return Math.hypot(x - clientX, y - clientY); };
    const near = elements().map((element) => ({ element, far: distance(element) })).sort((one, other) => one.far - other.far)[0];
    if (near && near.far <= reach) show(Number(near.element.dataset.i), clientX, clientY);
    else hide();
  });
  walk(plot, () => read().length, { at: () => at, show: (index) => show(index), hide });
};
const stripData = new WeakMap();
const dataOfStrips = (block) => {
  if (!stripData.has(block)) stripData.set(block, JSON.parse(block.textContent));
  return stripData.get(block);
};
const showStrip = (strip, x, y) => {
  const [block, row, key] = strip.dataset.strip.split(" ");
  const { category, unit, labels, rows } = dataOfStrips(document.getElementById(block));
  const values = rows[row][key];
  const at = labels ?? values.map((_, index) => index + 1);
  const box = strip.getBoundingClientRect();
  const index = nearest(Math.floor((x - box.left) / box.width * values.length), values.length);
  showTip(category + " " + at[index], [[unit[key], String(values[index])]], x, y);
};
const stripOf = ({ target }) => target.closest("[data-strip]");
document.addEventListener("pointermove", (event) => { if (stripOf(event)) showStrip(stripOf(event), event.clientX, event.clientY); });
document.addEventListener("pointerout", (event) => { if (stripOf(event)) hideTip(); });
`;
