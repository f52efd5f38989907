import type { RunRecord } from "../../../runs/record.ts";
import { intersectionsOverUnions } from "../../../tasks/segmentation/pixel-confusion.ts";
import type { SegmentationFindings } from "../../../tasks/segmentation/segmentation-findings.ts";
import { integer, percent, share } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";
import { nameOf } from "./class-name.ts";
import { confusionMarkup } from "./confusion.ts";

/** Which classes of pixels are found on the test set, and where they are not. */
export function segmentationSection(record: RunRecord): Section {
  const { findings, data } = record;
  const names = data.targets.kind === "masks" ? data.targets.names : [];
  return {
    id: "masks",
    title: "Masks",
    body:
      findings?.task !== "segmentation"
        ? later("The test set is examined when the run ends.")
        : markup`<p>Of the pixels of test images${learnsGates(record) && " with test-time gates"}, as exported.</p>
${classTable(findings, names)}
${confusionMarkup(findings.confusion, names, "Pixels")}
${worstMarkup(findings)}`,
  };
}

interface Row {
  readonly name: string;
  readonly intersection: number | null;
  readonly pixels: number;
  readonly found: number;
}

function classTable({ confusion }: SegmentationFindings, names: readonly string[]): Markup {
  const unions = intersectionsOverUnions(confusion);
  const shown = (value: number | null) => (value === null ? "–" : percent(value));
  const recall = ({ found, pixels }: Row) => (pixels === 0 ? null : share(found, pixels));
  return table<Row>({
    id: "class-intersections",
    caption: "Each class by itself",
    columns: [
      { title: "Class", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      {
        title: "Intersection over union",
        kind: "number",
        value: ({ intersection }) => intersection,
        show: ({ intersection }) => shown(intersection === null ? null : 100 * intersection),
      },
      { title: "Pixels", kind: "number", value: ({ pixels }) => pixels, show: ({ pixels }) => integer(pixels) },
      { title: "Found", kind: "number", value: recall, show: (row) => shown(recall(row)) },
    ],
    rows: confusion.map((row, index) => ({
      name: nameOf(names, index),
      intersection: unions[index] ?? null,
      pixels: row.reduce((sum, count) => sum + count, 0),
      found: row[index] ?? 0,
    })),
  });
}

function worstMarkup({ worst }: SegmentationFindings): Markup {
  return markup`<h3>Worst masks</h3>
<p>The test images of which the fewest pixels are right: as they are, under their mask, under what the network says.</p>
<ul class="gallery">${worst.map(({ png, truth, predicted, width, height, index, right }) => {
    const image = (content: string, alt: string) =>
      markup`<img src="data:image/png;base64,${content}" width="${width}" height="${height}" alt="${alt}">`;
    return markup`<li>${image(png, `Test image ${index}`)}${image(truth, `Its mask`)}${image(predicted, `The predicted mask`)}
<span class="sure">${percent(100 * right, 1)} right</span>\n<span class="sure">image ${integer(index)}</span></li>\n`;
  })}</ul>`;
}
