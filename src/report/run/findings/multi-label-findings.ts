import type { RunRecord } from "../../../runs/record.ts";
import type { LabelFindings } from "../../../tasks/multi-label/label-findings.ts";
import { integer, percent, share } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";
import { nameOf } from "./class-name.ts";

/** How well each label is found on the test set. */
export function labelSection(record: RunRecord): Section {
  const { findings, data } = record;
  const names = data.targets.kind === "labels" ? data.targets.names : [];
  return {
    id: "labels",
    title: "Labels",
    body:
      findings?.task !== "multi-label"
        ? later("The test set is examined when the run ends.")
        : markup`<p>Of test images${learnsGates(record) && " with test-time gates"}, as exported. An image gets a label where its probability is above one half; the average precision judges the order of all images by it.</p>
${labelTable(findings, names)}`,
  };
}

type Row = LabelFindings["labels"][number] & { readonly name: string };

const ofAll = (part: number, whole: number): number | null => (whole === 0 ? null : share(part, whole));
const shown = (value: number | null): string => (value === null ? "–" : percent(value));

const labelTable = ({ labels }: LabelFindings, names: readonly string[]): Markup =>
  table<Row>({
    id: "label-precision",
    caption: "Each label by itself",
    pinned: true,
    columns: [
      { title: "Label", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      {
        title: "Average precision",
        kind: "number",
        value: ({ averagePrecision }) => averagePrecision,
        show: ({ averagePrecision }) => shown(averagePrecision === null ? null : 100 * averagePrecision),
      },
      { title: "Images", kind: "number", value: ({ images }) => images, show: ({ images }) => integer(images) },
      { title: "Given", kind: "number", value: ({ given }) => given, show: ({ given }) => integer(given) },
      {
        title: "Precision",
        kind: "number",
        value: ({ found, given }) => ofAll(found, given),
        show: ({ found, given }) => shown(ofAll(found, given)),
      },
      {
        title: "Recall",
        kind: "number",
        value: ({ found, images }) => ofAll(found, images),
        show: ({ found, images }) => shown(ofAll(found, images)),
      },
    ],
    rows: labels.map((label, index) => ({ ...label, name: nameOf(names, index) })),
  });
