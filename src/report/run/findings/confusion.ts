import type { ClassificationFindings } from "../../../tasks/classification/class-findings.ts";
import { integer, percent, share } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { scrollable, table } from "../../page/table.ts";
import { nameOf } from "./class-name.ts";

/** A matrix of more classes than this is not read but searched: the most frequent confusions say it better. */
const matrixClasses = 25;

/** How many of the most frequent confusions are listed. */
const listed = 12;

/** Shades of the cells off the diagonal, as classes of the style sheet: a policy with hashes allows no style attributes. */
const shades = 5;

/** Which classes are taken for which. */
export const confusionMarkup = (
  confusion: ClassificationFindings["confusion"],
  classes: readonly string[],
  counted = "Images",
): Markup =>
  markup`<div class="matrix-and-list">${confusion.length <= matrixClasses && matrix(confusion, classes)}${mostFrequent(confusion, classes, counted)}</div>`;

function matrix(counts: readonly (readonly number[])[], classes: readonly string[]): Markup {
  const worst = Math.max(1, ...counts.flatMap((row, index) => row.filter((_, column) => column !== index)));
  const heads = counts.map((_, index) => markup`<th scope="col">${foreign(nameOf(classes, index), 16)}</th>`);
  const rows = counts.map((row, index) => {
    const cells = row.map((count, column) => matrixCell(count, column === index, worst));
    const recall = share(row[index] ?? 0, sum(row));
    return markup`<tr><th scope="row">${foreign(nameOf(classes, index), 16)}</th>${cells}<td class="number">${percent(recall, 1)}</td></tr>\n`;
  });
  return scrollable(
    {
      id: "confusion-matrix",
      caption:
        "Confusion matrix: true class (rows) by predicted class (columns), with the share of each class that is found",
    },
    markup`<table class="matrix" aria-labelledby="confusion-matrix-caption">
<thead><tr><th scope="col">True</th>${heads}<th scope="col" class="number">Recall</th></tr></thead><tbody>
${rows}</tbody></table>`,
  );
}

function matrixCell(count: number, isRight: boolean, worst: number): Markup {
  const shade = isRight ? "right" : count === 0 ? "none" : `error-${Math.ceil((shades * count) / worst)}`;
  return markup`<td class="${shade}" data-value="${count}">${count === 0 ? "·" : integer(count)}</td>`;
}

interface Confused {
  readonly truth: string;
  readonly predicted: string;
  readonly count: number;
  readonly share: number;
}

function mostFrequent(counts: readonly (readonly number[])[], classes: readonly string[], counted: string): Markup {
  const rows: readonly Confused[] = counts
    .flatMap((row, truth) =>
      row.map((count, predicted) => ({
        truth: nameOf(classes, truth),
        predicted: nameOf(classes, predicted),
        count: truth === predicted ? 0 : count,
        share: share(count, sum(row)),
      })),
    )
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, listed);
  return table({
    id: "confusions",
    caption: "Most frequent confusions",
    columns: [
      { title: "True class", value: (row) => row.truth, show: (row) => foreign(row.truth, 40) },
      { title: "Taken for", value: (row) => row.predicted, show: (row) => foreign(row.predicted, 40) },
      { title: counted, kind: "number", value: (row) => row.count, show: (row) => integer(row.count) },
      { title: "Of its class", kind: "number", value: (row) => row.share, show: (row) => percent(row.share) },
    ],
    rows,
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
