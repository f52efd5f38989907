import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FileSession } from "../../../src/onnx/file-session.ts";
import { readQuantizedRecord } from "../../../src/ptq/read-quantized-record.ts";
import { quantize } from "./command.ts";
import { type CorpusModel, readIndex } from "./corpus-index.ts";
import { type Kind, kinds, type Result, Results } from "./results.ts";
import { firstInputs, runInWeb } from "./run-in-web.ts";
import { corpusTable, summaryOf } from "./table.ts";

// npm run bench:quantize -- FOLDER [--only PATTERN] [--kinds W8A8,W8,W4,25%] [--table]: what `quantize` makes of the corpus
// that `npm run corpus -- FOLDER` has fetched, each in a process of its own; results are appended to
// FOLDER/quantize-results.ndjson, and what stands there is not done again. With --table it prints docs/quantize-results.md.
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "" },
    kinds: { type: "string", default: "W8A8,W8,W4,25%" },
    table: { type: "boolean", default: false },
  },
});
const [corpus] = positionals;
if (corpus === undefined)
  throw new Error("usage: npm run bench:quantize -- FOLDER [--only PATTERN] [--kinds W8A8,W8] [--table]");
const results = new Results(join(corpus, "quantize-results.ndjson"));
// One of PyTorch's two exporters is enough: the other's files differ in names and folding.
const models = readIndex(corpus).filter(
  ({ set, from }) => set === "packages" || (from !== null && "exporter" in from && from.exporter === "legacy"),
);

async function tryModel(model: CorpusModel, kind: Kind): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), "bench-quantize-"));
  try {
    const [file, folder] = [join(corpus ?? "", model.file), join(scratch, "run")];
    const data = model.data && join(corpus ?? "", model.data.file);
    const outcome = await quantize([
      file,
      ...kinds[kind].arguments,
      ...(data === null ? [] : ["--data", data]),
      "--out",
      folder,
    ]);
    const { summary, refusal, wallSeconds, peakMiB } = outcome;
    const common = { name: model.name, kind, refusal, wallSeconds, peakMiB };
    if (summary === null) {
      return {
        ...common,
        layers: null,
        bytes: null,
        sqnrDb: null,
        agreement: null,
        spoilers: [],
        sameInterface: null,
        web: null,
      };
    }
    const { layers, bytes, sqnrDb, agreement } = summary;
    const written = join(folder, "model.onnx");
    const { loss } = readQuantizedRecord(folder);
    const spoilers = loss?.layers.flatMap(({ layers }) => layers.slice(0, 1)) ?? [];
    await using before = await FileSession.load(file, file);
    await using after = await FileSession.load(written, written);
    const sameInterface =
      JSON.stringify([before.inputs, before.outputs]) === JSON.stringify([after.inputs, after.outputs]);
    const web = data === null ? null : await webWords(file, written, await firstInputs(after, data));
    return { ...common, layers, bytes, sqnrDb, agreement, spoilers, sameInterface, web };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function webWords(file: string, written: string, inputs: Awaited<ReturnType<typeof firstInputs>>) {
  const words = await runInWeb(written, inputs);
  if (words === null) return null;
  return (await runInWeb(file, inputs)) === null ? words : `float: ${words}`;
}

const wanted = (Object.keys(kinds) as Kind[]).filter((kind) => values.kinds.split(",").includes(kind.replace(" ", "")));
for (const model of values.table ? [] : models) {
  if (!new RegExp(values.only).test(model.name)) continue;
  for (const kind of wanted) {
    if (results.find(model.name, kind) !== undefined || (kinds[kind].needsData && model.data === null)) continue;
    const result = await tryModel(model, kind);
    results.add(result);
    console.error(summaryOf(result));
  }
}
if (values.table || existsSync(join(corpus, "quantize-results.ndjson"))) console.log(corpusTable(models, results));
