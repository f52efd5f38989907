import { budgetWidths } from "../../ptq/harm-table.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { axisOf } from "../charts/axis.ts";
import { type Drawing, picture } from "../charts/picture.ts";
import { placeOf, plotGrid, plotSizes } from "../charts/plot-frame.ts";
import { bitWidths } from "../page/chips.ts";
import { bytes, significant } from "../page/format.ts";
import { type Markup, markup, shorten, trusted } from "../page/markup.ts";
import { errorAxis } from "./error-axis.ts";

type Plan = NonNullable<QuantizedRecord["plan"]>;

/** What each width of each weight costs and harms: a line for each weight, the chosen width filled. */
export function harmFigure({ table: { weights, measured }, plans }: Plan): Markup {
  const chosen = plans[0]?.bits ?? [];
  const lines = weights.map(({ layers, choices }, item) =>
    choices.map((choice) => ({
      ...choice,
      isChosen: choice.bits === chosen[item],
      mark: {
        title: shorten(layers.join(" and "), 60),
        lines: [
          [
            "width",
            `${significant(choice.bits)} bits${choice.channelBits === undefined ? "" : " on average, by channel"}${choice.bits === chosen[item] ? ", chosen" : ""}`,
          ],
          ["bytes", bytes(Math.ceil(choice.bytes))],
          [measured === "outputs" ? "harm to the outputs" : "error of the weight", significant(choice.harm)],
        ] as const,
      },
    })),
  );
  const points = lines.flat();
  const axes = {
    x: axisOf(
      points.map((point) => point.bytes / 1000),
      { logarithmic: true },
    ),
    y: errorAxis(points.map(({ harm }) => harm)),
  };
  const title =
    measured === "outputs" ? "Harm to the outputs against bytes, by weight" : "Error against bytes, by weight";
  const widths = bitWidths.filter((width) => points.some(({ bits }) => bits === width));
  return picture({
    id: "harms",
    title,
    summary: `${title}. The table below has the values.`,
    marks: points.map(({ mark }) => mark),
    wide: drawing(plotSizes.wide),
    narrow: drawing(plotSizes.narrow),
    key: markup`<ul class="key">${widths.map((bits) => keyItem(dot(bits, true), `${bits} bits`))}${keyItem(hollow, "not chosen")}</ul>`,
  });

  function drawing(size: { readonly width: number; readonly height: number }): Drawing {
    const place = placeOf(axes, size);
    const at = (point: { readonly bytes: number; readonly harm: number }) =>
      `${place.x(point.bytes / 1000)} ${place.y(point.harm)}`;
    return {
      ...size,
      content: markup`${plotGrid(axes, place, "bytes of the weight, kB")}
${lines.map((line) => markup`<path d="M${line.map(at).join("L")}" fill="none" stroke="var(--axis)" stroke-width="0.75"/>`)}
${points.map((point, index) => markup`<g data-i="${index}" transform="translate(${at(point)})">${dot(point.bits, point.isChosen)}</g>`)}`,
    };
  }
}

const dot = (bits: number, isChosen: boolean): Markup =>
  isChosen
    ? markup`<circle class="frame" r="4.5" fill="var(--bits-${nearestWidth(bits)})" stroke="var(--ink)" stroke-width="0.75"/>`
    : markup`<circle class="frame" r="2.5" fill="var(--paper)" stroke="var(--axis)"/>`;

/** The colour of a mean of several is that of the nearest width. */
const nearestWidth = (bits: number): number =>
  budgetWidths.reduce((nearest, width) => (Math.abs(width - bits) < Math.abs(nearest - bits) ? width : nearest));

const hollow = trusted('<circle r="2.5" fill="none" stroke="var(--axis)"/>');

const keyItem = (sign: Markup, text: string): Markup =>
  markup`<li><svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">${sign}</svg>${text}</li>`;
