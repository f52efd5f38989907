import { at } from "../../core/elements.ts";
import type { Mark } from "../browser/data.ts";

import { distinctNames } from "../page/distinct-names.ts";
import { type Markup, trusted } from "../page/markup.ts";
import { meanText, shadeOf, type TensorBits } from "../page/tensor-bits.ts";
import { drawChart } from "./chart.ts";
import { type Drawing, picture } from "./picture.ts";
import { roomFor } from "./room-for.ts";

/** A tensor's bits in one run. */
export interface HeatCell {
  readonly row: number;
  readonly column: number;
  readonly bits: TensorBits;
  readonly mark: Mark;
}

export interface HeatMap {
  /** Unique in the page; also the name of the saved file. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly rows: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    /** Stands before the name, beside the cells, and is not cut. */
    readonly figure: string;
    /** The page's number of the run, by which filters know it. */
    readonly run: number;
  }[];
  /** Beside each other, with the same rows and columns; below each other on a phone. Cells row by row. */
  readonly panels: readonly { readonly title: string; readonly cells: readonly HeatCell[] }[];
  readonly note?: Markup | string;
}

/** Pixels of a cell, and of what is around all of them. */
const sizes = {
  wide: { page: 1150, cell: { most: 46, height: 19 }, names: 24, columnName: 22, beside: true },
  narrow: { page: 316, cell: { most: 40, height: 17 }, names: 12, columnName: 18, beside: false },
} as const;

type Size = (typeof sizes)[keyof typeof sizes];

/** Pixels of the gap between two panels, and of a panel's title. */
const [gap, titleHeight] = [28, 24];

/** Bits as coloured cells, rows by columns, in panels. */
export function heatMap(map: HeatMap): Markup {
  const { id, title, summary, columns, panels, note } = map;
  return picture({
    ...{ id, title, summary },
    marks: panels.flatMap(({ cells }) => cells.map(({ mark }) => mark)),
    columns: columns.length,
    wide: drawing(map, `${id}-w`, sizes.wide),
    narrow: drawing(map, `${id}-n`, sizes.narrow),
    ...(note !== undefined && { note }),
  });
}

function drawing({ rows, columns, panels }: HeatMap, id: string, size: Size): Drawing {
  const rowNames = distinctNames(rows, size.names);
  const names = distinctNames(
    columns.map(({ name }) => name),
    size.columnName,
  ).map((name, index) => `${columns[index]?.figure ?? ""}  ${name}`.trimStart());
  const room = (texts: readonly string[]) => 10 + Math.max(0, ...texts.map(roomFor));
  const [left, above] = [room(rowNames), titleHeight + room(names)];
  const across = size.beside ? panels.length : 1;
  const free = (size.page - left - gap * (across - 1)) / across;
  const cell = Math.min(size.cell.most, free / Math.max(1, columns.length));
  const [inner, outer] = [cell * columns.length, size.cell.height * rows.length];
  const placeOf = (panel: number) =>
    size.beside
      ? { left: left + panel * (inner + gap), top: above }
      : { left, top: above + panel * (above + outer + gap / 2) };
  const last = placeOf(panels.length - 1);
  const titles = Math.max(...panels.map(({ title }) => 1.2 * roomFor(title)));
  const [width, height] = [last.left + Math.max(inner, titles) + 2, last.top + outer + 2];
  const offsets = panels.map((_, panel) => panels.slice(0, panel).reduce((sum, { cells }) => sum + cells.length, 0));
  const text = { color: "var(--ink)", fontSize: 11, fontFamily: "inherit" };
  const bare = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };
  const option = {
    title: panels.map((panel, index) => ({
      text: panel.title,
      ...{ left: placeOf(index).left, top: placeOf(index).top - above, padding: [2, 0] },
      textStyle: { ...text, fontSize: 12, fontWeight: 600 },
    })),
    grid: panels.map((_, index) => ({ ...placeOf(index), width: inner, height: outer, outerBoundsMode: "none" })),
    xAxis: panels.map((_, index) => ({
      ...{ type: "category", gridIndex: index, position: "top", data: names, ...bare },
      axisLabel: { ...text, interval: 0, rotate: -90, margin: 4 },
    })),
    yAxis: panels.map((_, index) => ({
      ...{ type: "category", gridIndex: index, inverse: true, data: rowNames, ...bare },
      axisLabel: { ...text, interval: 0, margin: 6, show: !size.beside || index === 0 },
    })),
    series: panels.map(({ cells }, index) => ({
      ...{ type: "custom", xAxisIndex: index, yAxisIndex: index },
      renderItem: cellOf(cells, { width: cell, height: size.cell.height }),
      data: cells.map(({ column, row }) => [column, row]),
    })),
  };
  const { content } = drawChart(id, option, {
    ...{ width, height, axis: "x", categories: columns.length },
    attributesOf: (panel, index) => {
      const { run } = at(columns, at(at(panels, panel).cells, index).column);
      return ` data-i="${at(offsets, panel) + index}" data-runs="${run}"`;
    },
  });
  return { width, height, content: trusted(content) };
}

/** Pixels of the least cell that shows its number. */
const roomForNumber = (text: string): number => (text.length < 3 ? 15 : 20);

/** What ECharts asks for a cell. */
interface CellApi {
  value(dimension: number): number;
  coord(place: readonly [column: number, row: number]): readonly [x: number, y: number];
}

/** A cell in the colour of its bits, with their number where there is room. */
const cellOf =
  (cells: readonly HeatCell[], { width, height }: { readonly width: number; readonly height: number }) =>
  ({ dataIndex }: { readonly dataIndex: number }, api: CellApi): object => {
    const [x, y] = api.coord([api.value(0), api.value(1)]);
    const { bits } = at(cells, dataIndex);
    const [shade, text] = [shadeOf(bits), meanText(bits)];
    const frame = { x: x - width / 2, y: y - height / 2, width, height };
    const edge = width < 6 ? {} : { stroke: "var(--paper)", lineWidth: 1 };
    const number = { text, x, y, fill: `var(--on-${shade})`, fontSize: 10, fontFamily: "inherit" };
    return {
      type: "group",
      children: [
        { type: "rect", shape: frame, style: { fill: `var(--bits-${shade})`, ...edge } },
        ...(width < roomForNumber(text)
          ? []
          : [{ type: "text", style: { ...number, align: "center", verticalAlign: "middle" } }]),
      ],
    };
  };
