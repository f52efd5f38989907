/** Charts save as SVG and PNG that stand alone. */
export const saving = `
const svgElement = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
// A saved chart stands alone: variables become colours, and the title and the key, HTML in the page, go into the picture.
const standalone = (figure) => {
  const root = getComputedStyle(document.documentElement);
  const shown = shownPicture(figure.querySelector(".plot"));
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
const save = (name, blob) => {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return "Saved";
};
const scale = 2;
const pngOf = async (text) => {
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  await image.decode();
  const canvas = make("canvas", { width: image.width * scale, height: image.height * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
};
const setUpCharts = (root) => {
  for (const figure of all("figure.chart", root)) {
    const title = figure.querySelector("figcaption").textContent;
    toolbox(figure).append(
      tool("SVG", "save " + title, () => save(figure.id + ".svg", new Blob([standalone(figure)], { type: "image/svg+xml" }))),
      tool("PNG", "save " + title, async () => save(figure.id + ".png", await pngOf(standalone(figure)))),
    );
    (figure.dataset.axis === "marks" ? setUpMarks : setUpAxis)(figure);
  }
};
`;
