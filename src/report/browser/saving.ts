import { all, make, one } from "./dom.ts";
import { type Plot, shownPicture, titleOf } from "./plots.ts";
import { withoutVariables } from "./standalone.ts";
import { tool, toolbox } from "./tools.ts";

/** Pixels of a saved PNG for each of the page's. */
const scale = 2;

/** How long the browser may take to fetch what is saved, in milliseconds. */
const savingTime = 10_000;

/** Pixels above the picture for its title, and for each line of its key below it. */
const [top, keyLine] = [24, 18];

/** Buttons that save a chart as SVG or PNG. */
export function setUpSaving({ figure, plot }: Plot): void {
  const title = titleOf(figure);
  toolbox(figure).append(
    tool("SVG", `save ${title}`, () => {
      const svg = shownPicture(plot);
      return svg === null ? failed : save(`${figure.id}.svg`, svgFile(standalone(figure, svg)));
    }),
    tool("PNG", `save ${title}`, async () => {
      const svg = shownPicture(plot);
      const png = svg === null ? null : await pngFile(standalone(figure, svg));
      return png === null ? failed : save(`${figure.id}.png`, png);
    }),
  );
}

const failed = "Not saved";

/** A saved chart stands alone: variables become colours, and title and key, HTML in the page, go into the picture. */
function standalone(figure: HTMLElement, shown: SVGSVGElement): string {
  const root = getComputedStyle(document.documentElement);
  const { width, height } = shown.viewBox.baseVal;
  const keys = all(HTMLLIElement, ".key li", figure);
  const full = top + height + keys.length * keyLine + 8;
  const svg = svgElement("svg", {
    viewBox: `0 0 ${width} ${full}`,
    width,
    height: full,
    role: "img",
    "aria-label": shown.getAttribute("aria-label") ?? titleOf(figure),
    "font-family": "system-ui, sans-serif",
  });
  svg.append(
    svgElement("rect", { width, height: full, fill: "var(--paper)" }),
    svgElement("text", { x: 6, y: 16, "font-size": 13, "font-weight": 600, fill: "var(--ink)" }, [titleOf(figure)]),
    svgElement("g", { transform: `translate(0 ${top})` }, copies(shown)),
    ...keys.map((item, index) =>
      svgElement("g", { transform: `translate(6 ${top + height + index * keyLine + 4})` }, [
        ...copies(one(SVGSVGElement, "svg", item)),
        svgElement("text", { x: 30, y: 10, "font-size": 11, fill: "var(--ink)" }, [item.textContent]),
      ]),
    ),
  );
  return withoutVariables(new XMLSerializer().serializeToString(svg), (name) => root.getPropertyValue(name));
}

const copies = (svg: SVGSVGElement): Node[] => [...svg.childNodes].map((node) => node.cloneNode(true));

function svgElement(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  content: readonly (Node | string)[] = [],
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}

const svgFile = (text: string): Blob => new Blob([text], { type: "image/svg+xml" });

async function pngFile(text: string): Promise<Blob | null> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas", { width: String(image.width * scale), height: String(image.height * scale) });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function save(name: string, blob: Blob): string {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), savingTime);
  return "Saved";
}
