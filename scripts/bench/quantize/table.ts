import { markdownTable } from "../../markdown-table.ts";
import type { CorpusModel } from "./corpus-index.ts";
import { type Kind, kinds, type Result, type Results } from "./results.ts";

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
const decibels = (sqnrDb: number | null): string => (sqnrDb === null ? "exact" : `${sqnrDb.toFixed(1)} dB`);

/** A line for the terminal. */
export function summaryOf({
  name,
  kind,
  refusal,
  layers,
  bytes,
  sqnrDb,
  agreement,
  web,
  wallSeconds,
  peakMiB,
}: Result): string {
  if (refusal !== null) return `${name} ${kind}: refused: ${refusal}`;
  const same = agreement === null ? "" : `, the same class ${agreement.toFixed(1)} %`;
  const inWeb = web === null ? "" : `, onnxruntime-web: ${web}`;
  return `${name} ${kind}: ${layers?.quantized} of ${layers?.of} layers, ${bytes?.before} -> ${bytes?.after} bytes, ${decibels(sqnrDb)}${same}, ${wallSeconds.toFixed(1)} s, ${peakMiB.toFixed(0)} MiB${inWeb}`;
}

function cell(result: Result | undefined): string {
  if (result === undefined) return "";
  const { refusal, bytes, sqnrDb, agreement, spoilers } = result;
  if (refusal !== null || bytes === null) return "refused";
  const same = agreement === null ? "" : `, ${agreement.toFixed(0)} %`;
  const [spoiler] = spoilers;
  const named = result.kind === "W8" && spoiler !== undefined ? ` (${"`"}${spoiler}${"`"})` : "";
  return `${megabytes(bytes.after)}, ${decibels(sqnrDb)}${same}${named}`;
}

/** What became of each model, in Markdown. */
export function corpusTable(models: readonly CorpusModel[], results: Results): string {
  const names = Object.keys(kinds) as Kind[];
  const rows = models.map(({ name }) => {
    const own = names.map((kind) => results.find(name, kind));
    const some = own.find((result) => result?.layers);
    const layers = some?.layers ? `${some.layers.quantized} of ${some.layers.of}` : "none";
    return [name, layers, some?.bytes ? megabytes(some.bytes.before) : "", ...own.map(cell)];
  });
  const refusals = models.flatMap(({ name }) => {
    const refused = names.map((kind) => results.find(name, kind)).find((result) => result?.refusal != null);
    return refused ? [`- ${name}: ${refused.refusal}`] : [];
  });
  return `${markdownTable(["network", "layers", "MB", ...names], rows)}\n${refusals.join("\n")}\n`;
}
