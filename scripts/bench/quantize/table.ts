import { markdownTable } from "../../markdown-table.ts";
import type { CorpusModel } from "./corpus-index.ts";
import { type Kind, kinds, type Result, type Results } from "./results.ts";

type Written = NonNullable<Result["written"]>;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
const decibels = ({ compared, sqnrDb }: Written): string =>
  !compared ? "not compared" : sqnrDb === null ? "the same" : `${sqnrDb.toFixed(1)} dB`;
/** Rounded down: 99.96 % is not all. */
const percent = (share: number): string => `${(Math.floor(10 * share) / 10).toFixed(1)} %`;

/** What is not as it should be. */
const complaints = ({ sameInterface, web }: Written): readonly string[] => [
  ...(sameInterface ? [] : ["inputs or outputs are others"]),
  ...(web === null ? [] : [`onnxruntime-web: ${web}`]),
];

/** A line for the terminal. */
export function summaryOf({ name, kind, refusal, written, wallSeconds, peakMiB }: Result): string {
  if (written === null) return `${name} ${kind}: refused: ${refusal}`;
  const { layers, bytes, agreement } = written;
  return [
    `${name} ${kind}: ${layers.quantized} of ${layers.of} layers`,
    `${bytes.before} -> ${bytes.after} bytes`,
    decibels(written),
    ...(agreement === null ? [] : [`the same class ${percent(agreement)}`]),
    `${wallSeconds.toFixed(1)} s, ${peakMiB.toFixed(0)} MiB`,
    ...complaints(written),
  ].join(", ");
}

function cell(result: Result | undefined): string {
  if (result === undefined) return "";
  const { kind, written } = result;
  if (written === null) return "refused";
  const { bytes, agreement, spoilers } = written;
  const [spoiler] = kind === "W8" ? spoilers : [];
  return [
    megabytes(bytes.after),
    decibels(written),
    ...(agreement === null ? [] : [percent(agreement)]),
    ...(spoiler === undefined ? [] : [`${"`"}${spoiler}${"`"}`]),
  ].join(", ");
}

/** What became of each model, and what is to be said of it, in Markdown. */
export function corpusTable(models: readonly CorpusModel[], results: Results): string {
  const names = Object.keys(kinds) as Kind[];
  const all = models.map(({ name }) => ({ name, own: names.map((kind) => results.find(name, kind)) }));
  const rows = all.map(({ name, own }) => {
    const some = own.find((result) => result?.written)?.written;
    const layers = some
      ? [`${some.layers.quantized} of ${some.layers.of}`, megabytes(some.bytes.before)]
      : ["none", ""];
    const seconds = own.map((result) => result?.wallSeconds.toFixed(0) ?? "");
    return [name, ...layers, ...own.map(cell), seconds.join(" / ")];
  });
  const notes = all.flatMap(({ name, own }) => {
    const refusal = own.find((result) => result?.refusal)?.refusal;
    const more = own.flatMap((result) =>
      result?.written ? complaints(result.written).map((complaint) => `${result.kind}: ${complaint}`) : [],
    );
    return [...(refusal ? [refusal] : []), ...more].map((note) => `- ${name}: ${note}\n`);
  });
  return `${markdownTable(["network", "layers", "MB", ...names, "seconds"], rows)}\n${notes.join("")}`;
}
