import type { RunRecord } from "../../../runs/record.ts";
import type { Mark } from "../../browser/data.ts";
import { type Drawing, picture } from "../../charts/picture.ts";
import { bitColour } from "../../page/chips.ts";
import { distinctNames } from "../../page/distinct-names.ts";
import { integer, share } from "../../page/format.ts";
import { type Markup, markup, shorten } from "../../page/markup.ts";
import { bitsText, meanText, shadeOf, type TensorBits } from "../../page/tensor-bits.ts";
import { layerRow } from "../run-state.ts";
import { type Box, boxesOf } from "./boxes.ts";
import { type Layout, layOut, type Placed, type Route, type Sized } from "./graph-layout.ts";

const layerSize = { width: 150, height: 50 } as const;
/** Letters of a layer's name in its box. */
const nameLength = 18;
/** Letters are some 6 pixels wide at this size. */
const otherSize = (label: string) => ({ width: 14 + 6 * label.length, height: 22 });

/** Width of the whole column of a desktop, and of a phone. */
const widths = { wide: 1056, narrow: 316 } as const;

/** The network as a graph: on each line the bits of its activation, in each box the bits of its weight and its channels. */
export function networkFigure(record: RunRecord): Markup {
  const boxes = boxesOf(record);
  const layers = record.network.layers.map(({ name }) => name);
  const names = new Map(distinctNames(layers, nameLength).map((name, index) => [layers[index], name]));
  const known = new Map(
    boxes.map((box, index) => [box.id, { box, index, name: names.get(box.state?.layer.name) ?? "" }]),
  );
  const items: Sized[] = boxes.map((box) => ({
    id: box.id,
    ...(box.kind === "layer" ? layerSize : otherSize(labelOf(box))),
    reads: box.wires.map(({ from }) => from),
    follows: box.kind === "other" && box.wires.length === 1,
  }));
  const drawing = (width: number): Drawing => {
    const layout = layOut(items, { width });
    const ends = layout.routes.map((route) => end(route, layout.flow, known.get(route.to)?.box));
    const placed = layout.placed.map((at) => boxAt(at, known.get(at.id)));
    const content = markup`${layout.routes.map(line)}${ends}${placed}`;
    return { width: layout.width, height: layout.height, content };
  };
  return picture({
    id: "network",
    title: "The network",
    summary: `The network as a graph. ${boxes.map(sentence).join("; ")}.`,
    marks: boxes.map((box) => mark(box, box.state ? layers.indexOf(box.state.layer.name) : -1)),
    wide: drawing(widths.wide),
    narrow: drawing(widths.narrow),
  });
}

const spoken = (bits: TensorBits | null): string => (bits === null ? "not known yet" : bitsText(bits));

const nameOf = ({ id, kind }: Box): string => (kind === "input" ? "input" : id);

const labelOf = ({ kind, does, shape }: Box): string =>
  shorten(kind === "input" ? `input ${shape.join("×")}` : does, 20);

/** What a layer does, as "5×5 conv2d". */
function doing({ does, state }: Box): string {
  const shape = state?.layer.weightShape ?? [];
  return shape.length === 4 ? `${shape[0]}×${shape[1]} ${does}` : does;
}

/** What fits into a box: kernel, and kept of all output channels. */
function brief(box: Box): string {
  const { does, state } = box;
  const shape = state?.layer.weightShape ?? [];
  const kernel = shape.length === 4 ? `${shape[0]}×${shape[1]}${does.includes("depthwise") ? " dw" : ""}` : does;
  return `${kernel} · ${keptOf(box).replace(" of ", "/")}`;
}

const keptOf = ({ state, shape }: Box): string =>
  state === null
    ? integer(shape.at(-1) ?? 0)
    : state.prunes && state.kept !== null
      ? `${integer(state.kept)} of ${integer(state.outputs)}`
      : integer(state.outputs);

/** @param row Place of its row in the table of layers; -1: it has none. */
function mark(box: Box, row: number): Mark {
  const { state, shape, wires } = box;
  return {
    title: shorten(nameOf(box), 60),
    ...(row >= 0 && { goesTo: layerRow(row) }),
    lines: [
      ...(box.kind === "input" ? [] : [["kind", doing(box)] as const]),
      ...(state ? [["weight", spoken(state.weightBits)] as const] : []),
      ...wires.map(({ from, bits }) => [`reads ${shorten(from, 40)}`, spoken(bits)] as const),
      ...(state ? [["channels kept", keptOf(box)] as const] : []),
      ["output", shape.join("×")],
      ...(state ? [["MACs", integer(state.layer.macs)] as const] : []),
    ],
  };
}

function sentence(box: Box): string {
  const reads = box.wires.map(({ from, bits }) => `${shorten(from, 40)} with ${spoken(bits)}`).join(" and ");
  const weight = box.state ? `, weight ${spoken(box.state.weightBits)}, ${keptOf(box)} channels` : "";
  return `${shorten(nameOf(box), 40)}${weight}${reads && `, reads ${reads}`}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

const line = ({ points }: Route): Markup =>
  markup`<path d="M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}" fill="none" stroke="var(--axis)" stroke-width="1.25" stroke-linejoin="round"/>`;

/** The arrow's head and the bits of the activation, just before the box that reads it. */
function end({ end: [x, y], input }: Route, flow: Layout["flow"], to: Box | undefined): Markup {
  const bits = to?.wires[input]?.bits ?? null;
  return flow === "down"
    ? markup`<path d="M${round(x - 3.5)} ${round(y - 6)}h7l-3.5 6z" fill="var(--axis)"/>${chip(x - 12, y - 24, bits)}`
    : markup`<path d="M${round(x - 6)} ${round(y - 3.5)}v7l6-3.5z" fill="var(--axis)"/>${chip(x - 33, y - 8, bits)}`;
}

function chip(x: number, y: number, bits: TensorBits | null): Markup {
  const shade = bits === null ? null : shadeOf(bits);
  const [fill, ink] = shade === null ? ["var(--paper)", "var(--muted)"] : [bitColour(shade), `var(--on-${shade})`];
  return markup`<rect x="${round(x)}" y="${round(y)}" width="24" height="16" rx="3" fill="${fill}"/><text x="${round(x + 12)}" y="${round(y + 12)}" text-anchor="middle" font-size="11" font-weight="650" fill="${ink}">${bits === null ? "–" : meanText(bits)}</text>`;
}

function boxAt(
  { x, y, width, height }: Placed,
  known: { readonly box: Box; readonly index: number; readonly name: string } | undefined,
): Markup | null {
  if (known === undefined) return null;
  const { box, index, name } = known;
  const frame = (fill: string, stroke: string) =>
    markup`<rect class="frame" x="${round(x + 0.5)}" y="${round(y + 0.5)}" width="${width - 1}" height="${height - 1}" rx="4" fill="${fill}" stroke="${stroke}"/>`;
  if (box.state === null) {
    return markup`<g data-i="${index}">${frame("var(--sunken)", "none")}<text x="${round(x + width / 2)}" y="${round(y + 15)}" text-anchor="middle" font-size="11" fill="var(--muted)">${labelOf(box)}</text></g>`;
  }
  const { state } = box;
  const inner = width - 18;
  const bar = (size: number, fill: string) =>
    markup`<rect x="${round(x + 9)}" y="${round(y + height - 7)}" width="${round(size)}" height="3" fill="${fill}"/>`;
  return markup`<g data-i="${index}">${frame("var(--paper)", "var(--axis)")}
<text x="${round(x + 9)}" y="${round(y + 17)}" font-size="11" font-weight="650" fill="var(--ink)">${name}</text>
${chip(x + width - 33, y + 22, state.weightBits)}
<text x="${round(x + 9)}" y="${round(y + 34)}" font-size="11" fill="var(--muted)">${shorten(brief(box), 18)}</text>
${bar(inner, "var(--bits-0)")}${state.kept !== null && bar((inner * share(state.kept, state.outputs)) / 100, "var(--kept)")}</g>`;
}
