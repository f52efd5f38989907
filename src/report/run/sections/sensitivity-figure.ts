import type { Metric } from "../../../tasks/metric.ts";
import { axisOf } from "../../charts/axis.ts";
import { type Drawing, picture } from "../../charts/picture.ts";
import { roomFor } from "../../charts/room-for.ts";
import { bitColour } from "../../page/chips.ts";
import { distinctNames } from "../../page/distinct-names.ts";
import { integer, significant } from "../../page/format.ts";
import { type Markup, markup, shorten } from "../../page/markup.ts";
import { capital, differenceText } from "../../page/metrics.ts";
import { meanText } from "../../page/tensor-bits.ts";
import type { SensitiveTensor } from "./sensitive-tensors.ts";

/** So many tensors are drawn, those whose bits matter most; the table has all. */
const drawnTensors = 24;

/** Pixels of a row, of the axis below, and of the page in both widths with the letters of a name. */
const [rowHeight, axisHeight, top] = [18, 34, 6];
const sizes = { wide: { width: 720, letters: 30 }, narrow: { width: 316, letters: 16 } } as const;

/** A row for each tensor: a dot for each other width, as far from zero as the main metric would go. */
export function sensitivityFigure(tensors: readonly SensitiveTensor[], metric: Metric): Markup | null {
  const drawn = tensors.filter(({ alternatives }) => alternatives.length > 0).slice(0, drawnTensors);
  const dots = drawn.flatMap((tensor, row) =>
    tensor.alternatives.map((alternative) => ({ tensor, row, ...alternative })),
  );
  if (dots.length === 0) return null;
  const axis = axisOf([
    0,
    ...dots.flatMap(({ difference, error }) => [difference - (error ?? 0), difference + (error ?? 0)]),
  ]);
  const measured = tensors.filter(({ alternatives }) => alternatives.length > 0).length;
  const title = `Change of ${metric.label} with one tensor at another width`;
  return picture({
    id: "sensitivities",
    title,
    summary: `${title}: ${drawn.map(({ name, alternatives }) => `${shorten(name, 40)} ${alternatives.map(({ bits, difference }) => `${bits} bits ${differenceText(metric, difference)}`).join(", ")}`).join("; ")}.`,
    marks: dots.map(({ tensor, bits, difference, error, relativeBops }) => ({
      title: shorten(tensor.name, 60),
      lines: [
        ["at", `${bits} bits in place of ${tensor.bits === null ? "–" : meanText(tensor.bits)}`],
        [metric.label, differenceText(metric, difference)],
        ...(error === null ? [] : [["standard error", significant(error)] as const]),
        ["relative BOPs", `${relativeBops < 0 ? "−" : "+"}${significant(Math.abs(relativeBops))}\u202f%`],
      ],
    })),
    wide: drawing(sizes.wide),
    narrow: drawing(sizes.narrow),
    ...(drawn.length < measured && { note: `${integer(drawn.length)} of ${integer(measured)} tensors are drawn.` }),
  });

  function drawing({ width, letters }: (typeof sizes)[keyof typeof sizes]): Drawing {
    const names = distinctNames(
      drawn.map(({ name }) => name),
      letters,
    );
    const left = 12 + Math.max(...names.map(roomFor));
    const x = (value: number) => Math.round(10 * (left + axis.at(value) * (width - left - 24))) / 10;
    const y = (row: number) => top + (row + 0.5) * rowHeight;
    const base = top + drawn.length * rowHeight;
    const text = (at: number, up: number, anchor: string, content: string, colour: string) =>
      markup`<text x="${at}" y="${up}" text-anchor="${anchor}" font-size="11" fill="var(--${colour})">${content}</text>`;
    return {
      width,
      height: base + axisHeight,
      content: markup`${axis.ticks.map((tick) => markup`<path d="M${x(tick)} ${top}V${base}" stroke="var(--rule)"/>${text(x(tick), base + 15, "middle", String(tick).replace("-", "−"), "muted")}`)}
<path d="M${x(0)} ${top}V${base}" stroke="var(--axis)"/>
${text((left + width) / 2, base + 30, "middle", `${capital(metric.label)}${metric.unit === "%" ? ", points" : ""}`, "muted")}
${names.map((name, row) => text(left - 8, y(row) + 4, "end", name, "ink"))}
${dots.map(({ row, difference, error }) => error !== null && error > 0 && markup`<path d="M${x(difference - error)} ${y(row)}H${x(difference + error)}" stroke="var(--muted)"/>`)}
${dots.map(({ row, difference, bits }, index) => markup`<g data-i="${index}" transform="translate(${x(difference)} ${y(row)})"><circle class="frame" r="7" fill="${bitColour(bits)}" stroke="var(--paper)"/><text y="3.5" text-anchor="middle" font-size="9" fill="var(--on-${bits})">${bits}</text></g>`)}`,
    };
  }
}
