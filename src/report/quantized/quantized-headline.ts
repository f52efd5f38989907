import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { bytes, fixed, integer, percent, points, times } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { bopsText } from "./plan-cost.ts";

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: Markup | string;
}

type Comparison = NonNullable<QuantizedRecord["comparison"]>;

/** The figures by which one decides whether this file ships. */
export function quantizedHeadline(record: QuantizedRecord): Markup {
  const { source, bytes: after, layers, left, kernels, comparison, plan } = record;
  const relativeBops = plan?.plans[0]?.relativeBops ?? null;
  const figures: readonly Figure[] = [
    {
      name: "Size of the file",
      value: bytes(after),
      note: `of ${bytes(source.bytes)}: ${times(source.bytes / after)} smaller`,
    },
    ...(relativeBops === null
      ? []
      : [{ name: "Bit operations", value: bopsText(relativeBops), note: "of those at 32 bits everywhere" }]),
    ...(comparison === null ? [] : compared(comparison)),
    {
      name: "Layers quantized",
      value: `${integer(layers.length)} of ${integer(layers.length + left.length)}`,
      note: left.length === 0 ? "every one that has a weight" : "what is left, and why, stands below",
    },
    {
      name: "Kernels of integers",
      value: `${integer(kernels.integer)} of ${integer(kernels.integer + kernels.float.length)}`,
      note: "of the layers’ kernels; the others compute in float",
    },
  ];
  return markup`<dl class="headline">${figures.map(
    ({ name, value, note }) =>
      markup`<div><dt>${name}</dt><dd><strong>${value}</strong> <span>${note}</span></dd></div>\n`,
  )}</dl>`;
}

function compared({ samples, outputs }: Comparison): readonly Figure[] {
  const on = `${integer(samples)} ${samples === 1 ? "sample" : "samples"}`;
  const worst = (what: string, of: (output: Comparison["outputs"][number]) => number | null) => {
    const known = outputs.flatMap((output) => {
      const value = of(output);
      return value === null ? [] : [{ name: output.name, value }];
    });
    const [least] = known.toSorted((one, other) => one.value - other.value);
    if (least === undefined) return null;
    const which = outputs.length === 1 ? "" : markup`, ${what} of ${integer(outputs.length)} outputs`;
    return { value: least.value, note: markup`${foreign(least.name, 40)}${which}, on ${on}` };
  };
  const noise = worst("the noisiest", ({ sqnrDb }) => sqnrDb);
  const angle = worst("the least", ({ cosine }) => cosine);
  const agreement = worst("the least", (output) => output.agreement);
  return [
    ...(noise === null
      ? [noNoise(outputs, on)]
      : [{ name: "Signal-to-noise ratio", value: `${fixed(noise.value, 1)}\u202fdB`, note: noise.note }]),
    ...(angle === null ? [] : [{ name: "Cosine", value: fixed(angle.value, 5), note: angle.note }]),
    ...(agreement === null ? [] : [{ name: "The same class", value: percent(agreement.value), note: agreement.note }]),
    ...outputs.flatMap((output) => topFigure(output, on)),
  ];
}

function noNoise(outputs: Comparison["outputs"], on: string): Figure {
  const isSame = outputs.every(({ same }) => same);
  return {
    name: "Signal-to-noise ratio",
    value: isSame ? "exact" : "–",
    note: isSame ? `not one number differs, on ${on}` : "no output can be held against the other file’s",
  };
}

/** Of an output whose classes are known. */
function topFigure(
  { name, top1 = null, top1Float = null }: Comparison["outputs"][number],
  on: string,
): readonly Figure[] {
  if (top1 === null) return [];
  const before =
    top1Float === null ? "" : `, ${percent(top1Float)} in the file that went in: ${points(top1 - top1Float)}`;
  return [{ name: "Top-1", value: percent(top1), note: markup`${foreign(name, 40)}, on ${on}${before}` }];
}
