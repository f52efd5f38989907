import type { EpochRecord } from "../../runs/record.ts";
import { significant } from "../page/format.ts";
import { foreign, type Markup, markup, trusted } from "../page/markup.ts";
import { table } from "../page/table.ts";
import { type Series, seriesPerFigure } from "./figure.ts";
import { lineFigure } from "./line-figure.ts";
import { stripData, stripThin } from "./strip.ts";

export interface Courses {
  /** Start of the ids in the page. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly epochs: readonly EpochRecord[];
  /** One for each quantizer or layer. */
  readonly courses: readonly Series[];
  readonly logarithmic?: boolean;
}

/** Up to so many courses are drawn as charts; more are read better one below the other, in a table. */
const chartedCourses = 18;

/**
 * Many courses over the same epochs, for a grid of figures: charts of a few lines each, or a table with a small line
 * for each.
 */
export function courseFigures(all: Courses): readonly Markup[] {
  const { id, title, unit, epochs, courses, logarithmic = false } = all;
  if (courses.length > chartedCourses) return [courseTable(all)];
  const charts: Markup[] = [];
  for (let start = 0; start < courses.length; start += seriesPerFigure) {
    charts.push(
      lineFigure({
        id: `${id}-${start / seriesPerFigure + 1}`,
        title: logarithmic ? `${title} (logarithmic)` : title,
        unit,
        category: "epoch",
        categories: epochs.map(({ epoch }) => String(epoch)),
        logarithmic,
        series: courses.slice(start, start + seriesPerFigure),
      }),
    );
  }
  return charts;
}

interface Course {
  readonly row: number;
  readonly name: string;
  /** At the drawn epochs. */
  readonly values: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly least: number;
  readonly most: number;
}

function courseTable({ id, title, unit, epochs, courses }: Courses): Markup {
  const drawn = stripThin(epochs.length);
  const rows = courses.flatMap(({ name, values }, row): Course[] => {
    const known = values.filter((value) => value !== null);
    const [first, last] = [known[0], known.at(-1)];
    if (known.length !== values.length || first === undefined || last === undefined) return [];
    const [least, most] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
    return [{ row, name, values: drawn.flatMap((index) => known[index] ?? []), first, last, least, most }];
  });
  const block = `${id}-courses`;
  const number = (title: string, value: (course: Course) => number) => ({
    title,
    kind: "number" as const,
    value,
    show: (course: Course) => significant(value(course)),
  });
  return markup`${table<Course>({
    id: `${id}-table`,
    caption: `${title}: each line from its least to its most, over the epochs${drawn.length < epochs.length ? ` (${drawn.length} of ${epochs.length} drawn)` : ""}`,
    columns: [
      { title: "Of", value: ({ name }) => name, show: ({ name }) => foreign(name) },
      {
        title: "Course",
        kind: "picture",
        value: ({ first, last }) => last - first,
        show: (course) => sparkline(course, `${block} ${rows.indexOf(course)} value`),
      },
      number("First", ({ first }) => first),
      number("Last", ({ last }) => last),
      number("Least", ({ least }) => least),
      number("Most", ({ most }) => most),
    ],
    rows,
  })}${stripData(block, {
    category: "epoch",
    unit: { value: unit.trim() || "value" },
    labels: drawn.flatMap((index) => epochs[index]?.epoch ?? []),
    rows: rows.map(({ values }) => ({ value: values })),
  })}`;
}

function sparkline({ values, least, most }: Course, source: string): Markup {
  const scale = most > least ? 18 / (most - least) : 0;
  const path = values.map((value, index) => `${index} ${(19 - (value - least) * scale).toFixed(1)}`).join("L");
  return markup`<svg class="spark" viewBox="0 0 ${Math.max(1, values.length - 1)} 20" preserveAspectRatio="none" aria-hidden="true" data-strip="${source}">${trusted(`<path d="M${path}" fill="none" stroke="var(--series-1)" stroke-width="1.5" vector-effect="non-scaling-stroke"/>`)}</svg>`;
}
