import type { RunRecord } from "../../../runs/record.ts";
import type { ReconstructionFindings } from "../../../tasks/reconstruction/reconstruction-findings.ts";
import { integer, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";
import { learnsGates } from "../learns-gates.ts";
import { nameOf } from "./class-name.ts";
import { across, baseline, below, beside, down, frame, round, smallPlot } from "./small-plot.ts";

/** How well the network gives the test images again, and whether the error tells anomalies. */
export function reconstructionSection(record: RunRecord): Section {
  const { findings, data } = record;
  const names = data.targets.kind === "classes" ? data.targets.names : [];
  return {
    id: "reconstruction",
    title: "Reconstruction",
    body:
      findings?.task !== "reconstruction"
        ? later("The test set is examined when the run ends.")
        : markup`<p>Errors are mean squared differences of normalised pixels, of test images${learnsGates(record) && " with test-time gates"}, as exported.</p>
<div class="figures">${histogram(findings)}${findings.classes.length > 0 && classTable(findings, names)}</div>
${pictures("Reconstructed worst", "The images of the largest errors, each with what the network makes of it.", findings.worst, names)}
${pictures("Anomalies that go unseen", "The anomalies of the smallest errors.", findings.missed, names)}`,
  };
}

/** Images by error, anomalies over the others. */
function histogram({ limit, bins: { others, anomalies } }: ReconstructionFindings): Markup {
  const most = Math.max(1, ...others, ...(anomalies ?? []));
  const width = across / others.length;
  const edge = (bin: number) => significant((limit * bin) / others.length);
  const bar = (images: number, bin: number, paint: Markup) => {
    const height = (down * images) / most;
    return markup`<rect class="frame" x="${round(frame.left + bin * width)}" y="${round(frame.top + down - height)}" width="${round(width - 1)}" height="${round(height)}" ${paint}/>`;
  };
  const bars = others.map((images, bin) => {
    const over = anomalies?.[bin] ?? 0;
    return markup`<g data-i="${bin}">${bar(images, bin, markup`fill="var(--series-1)"`)}${over > 0 && bar(over, bin, markup`fill="none" stroke="var(--series-2)" stroke-width="1.5"`)}</g>`;
  });
  const ticks = [0, limit / 2, limit].map((value, at) => below(frame.left + (across * at) / 2, significant(value)));
  const last = others.length - 1;
  const kinds = anomalies === null ? "" : ", anomalies in outline";
  return smallPlot({
    id: "reconstruction-errors",
    title: `Test images by error${kinds}`,
    summary: `Images by error in ${others.length} bins up to ${significant(limit)}: ${others.join(", ")}${anomalies === null ? "" : `; anomalies: ${anomalies.join(", ")}`}.`,
    marks: others.map((images, bin) => ({
      title: `error ${edge(bin)} ${bin === last ? "and more" : `to ${edge(bin + 1)}`}`,
      lines: [
        ["images", integer(images)] as const,
        ...(anomalies === null ? [] : [["anomalies", integer(anomalies[bin] ?? 0)] as const]),
      ],
    })),
    content: markup`${baseline}${bars}${ticks}${beside(frame.top + 4, integer(most))}`,
  });
}

const classTable = ({ classes }: ReconstructionFindings, names: readonly string[]): Markup =>
  table<ReconstructionFindings["classes"][number]>({
    id: "errors-by-class",
    caption: "Errors by class",
    columns: [
      {
        title: "Class",
        value: ({ truth }) => nameOf(names, truth),
        show: ({ truth }) => foreign(nameOf(names, truth), 40),
      },
      { title: "Anomaly", value: ({ anomaly }) => (anomaly ? "yes" : "no") },
      { title: "Images", kind: "number", value: ({ images }) => images, show: ({ images }) => integer(images) },
      { title: "Median", kind: "number", value: ({ median }) => median, show: ({ median }) => significant(median) },
      { title: "95 % below", kind: "number", value: ({ high }) => high, show: ({ high }) => significant(high) },
    ],
    rows: classes,
  });

function pictures(
  title: string,
  text: string,
  images: ReconstructionFindings["worst"],
  names: readonly string[],
): Markup | null {
  if (images.length === 0) return null;
  return markup`<h3>${title}</h3>
<p>${text}</p>
<ul class="gallery">${images.map(({ png, reconstructed, width, height, index, truth, error }) => {
    const name = truth < 0 ? null : nameOf(names, truth);
    const size = markup`width="${width}" height="${height}"`;
    return markup`<li><img src="data:image/png;base64,${png}" ${size} alt="Test image ${index}"><img src="data:image/png;base64,${reconstructed}" ${size} alt="What the network makes of test image ${index}">
${name !== null && markup`<span class="classes">${foreign(name, 16)}</span>`}
<span class="sure">error ${significant(error)}</span>\n<span class="sure">image ${integer(index)}</span></li>\n`;
  })}</ul>`;
}
