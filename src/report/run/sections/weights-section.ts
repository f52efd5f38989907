import { stepSize } from "../../../quantization/grid.ts";
import type { WeightHistogram } from "../../../runs/analysis.ts";
import type { LearnedQuantizer, RunRecord } from "../../../runs/record.ts";
import { figureFrame, svg } from "../../charts/figure.ts";
import { integer, percent, share, significant } from "../../page/format.ts";
import { type Markup, markup, shorten } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { isInCodebook, learnedNow } from "../run-state.ts";

/** How the weights lie on the grids that were learned for them; null where all of them are in codebooks. */
export function weightSection(record: RunRecord): Section | null {
  const all = record.analysis?.weights ?? [];
  const histograms = all.filter(({ quantizer }) => !isInCodebook(record, quantizer));
  if (all.length > 0 && histograms.length === 0) return null;
  return {
    id: "weights",
    title: "Weights on their grids",
    body:
      histograms.length === 0
        ? later(
            record.status === "finished"
              ? "This run’s record holds no weights."
              : "The weights are counted when the run ends.",
          )
        : markup`<p>${record.postTraining ? severalGrids : learnedGrid}${histograms.some(({ ranges }) => ranges) ? stretched : ""}</p>
<div class="small-multiples">${histograms.map((histogram, index) => weightFigure(record, histogram, index))}</div>`,
  };
}

const learnedGrid =
  "Weights of the kept channels, before they are rounded. Upright lines are the points of the learned grid, as far as they can be told apart; the shaded parts lie beyond the range and are clipped.";
const stretched =
  " Where each output channel has a range of its own, its weights are drawn stretched: multiplied by the widest channel’s range over its own. Numbers on the axis, range and step are those of the widest channel.";
const severalGrids =
  "Weights as they are stored, those of all output channels together; each channel may have a step of its own. The range is that of the channel with the largest step.";

const [width, height, base] = [300, 104, 84];

function weightFigure(record: RunRecord, histogram: WeightHistogram, index: number): Markup | null {
  const now = learnedNow(record, histogram.quantizer);
  if (now === null) return null;
  const { bins, limit, quantizer, ranges } = histogram;
  // What is drawn is stretched to the widest range of the kept channels: a pruned one may have a wider one.
  const learned = { ...now, xMax: ranges?.[1] ?? now.xMax };
  const layer = record.quantizers.find(({ id }) => id === quantizer)?.layer ?? quantizer;
  const title = `${shorten(layer, 40)}, ${learned.bits} bits`;
  const centre = (bin: number) => significant(((2 * bin + 1) / bins.length - 1) * limit);
  const perChannel = record.postTraining !== undefined;
  const note = described(histogram, learned, perChannel);
  const summary = `Histogram of the weights of ${title}. ${note}`;
  const first = width / bins.length / 2;
  return figureFrame({
    id: `weights-${index + 1}`,
    title,
    axis: "x",
    key: null,
    plot: svg(
      { width, height, content: drawn(histogram, learned, perChannel), first, last: width - first },
      "any",
      summary,
    ),
    note,
    data: {
      category: "around",
      unit: "",
      categories: bins.map((_, bin) => centre(bin)),
      series: [{ name: "weights", values: bins }],
    },
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function described(
  { bins, beyond, clipped, ranges, codes }: WeightHistogram,
  { bits, xMax }: LearnedQuantizer,
  perChannel: boolean,
): string {
  const total = sum(bins) + sum(beyond);
  const step = `${perChannel || ranges ? "largest step" : "step"} ${significant(stepSize(bits, { xMax, signed: true }))}`;
  const zeros = codes === null ? "" : `, ${percent(share(codes[(codes.length - 1) / 2] ?? 0, total), 1)} on zero`;
  const scaled = ranges
    ? `; channels’ ranges from ${significant(ranges[0])} to ${significant(ranges[1])}, drawn stretched to the widest`
    : "";
  return `${integer(total)} weights, ${step}${zeros}, ${percent(share(clipped, total), 1)} clipped${scaled}`;
}

/** Bars, grid, range and axis, as SVG elements. Bars grow from the axis; the highest fills the height. */
function drawn({ bins, limit }: WeightHistogram, { bits, xMax }: LearnedQuantizer, perChannel: boolean): string {
  const x = (value: number) => Number((((value / limit + 1) / 2) * width).toFixed(1));
  const most = Math.max(1, ...bins);
  const step = width / bins.length;
  const outline = bins
    .map((count, bin) => `L${(bin * step).toFixed(1)} ${y(count, most)}H${((bin + 1) * step).toFixed(1)}`)
    .join("");
  const clipped =
    limit > xMax * 1.001
      ? `<path d="M0 0H${x(-xMax)}V${base}H0zM${x(xMax)} 0H${width}V${base}H${x(xMax)}z" fill="var(--sunken)"/>`
      : "";
  const label = (value: number, text: string, anchor: string) =>
    `<text x="${Math.min(width, Math.max(0, x(value)))}" y="${base + 14}" text-anchor="${anchor}" font-size="11" fill="var(--muted)">${text}</text>`;
  const ends = xMax > 0.92 * limit ? (["start", "end"] as const) : (["middle", "middle"] as const);
  return `${clipped}<path d="M0 ${base}${outline}V${base}z" fill="var(--series-1)" fill-opacity="0.55"/>${perChannel ? "" : grid(bits, xMax, x)}<path d="M0 ${base + 0.5}H${width}" stroke="var(--axis)"/>${label(-xMax, `−${significant(xMax)}`, ends[0])}${label(0, "0", "middle")}${label(xMax, significant(xMax), ends[1])}`;
}

const y = (count: number, most: number): string => (base - (count / most) * (base - 4)).toFixed(1);

/** Full lines for the few points of 2 and 4 bits, ticks for those of 8; finer grids are denser than pixels. */
function grid(bits: LearnedQuantizer["bits"], xMax: number, x: (value: number) => number): string {
  if (bits > 8) return "";
  const step = stepSize(bits, { xMax, signed: true });
  const outermost = 2 ** (bits - 1) - 1;
  const top = bits === 8 ? base - 5 : 0;
  const path = Array.from(
    { length: 2 * outermost + 1 },
    (_, code) => `M${x((code - outermost) * step)} ${top}V${base}`,
  ).join("");
  return `<path d="${path}" stroke="var(--wrong)" stroke-width="${bits === 8 ? 0.3 : 1}" fill="none"/>`;
}
