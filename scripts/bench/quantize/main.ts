import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../../src/core/errors.ts";
import { FileSession } from "../../../src/onnx/file-session.ts";
import { interfaceChange } from "../../../src/ptq/interface-change.ts";
import { readQuantizedRecord } from "../../../src/ptq/read-quantized-record.ts";
import { quantize } from "./command.ts";
import { type CorpusModel, readIndex } from "./corpus-index.ts";
import { type Kind, kinds, type Result, Results } from "./results.ts";
import { firstInputs, runInWeb } from "./run-in-web.ts";
import { corpusTable, summaryOf } from "./table.ts";

// npm run bench:quantize -- FOLDER [--only PATTERN] [--kinds W8A8,W8,W4,25%] [--table]: what `quantize` makes of the corpus
// that `npm run corpus -- FOLDER` has fetched, each in a process of its own. Results are appended to
// FOLDER/quantize-results.ndjson; what this program has done is not done again, and the table is printed. --table only
// prints it. Files that onnxruntime-node itself does not load are left out.
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
  ({ set, from, onnxruntimeNode }) =>
    onnxruntimeNode.loads &&
    (set === "packages" || (from !== null && "exporter" in from && from.exporter === "legacy")),
);

/** Of all that was built. */
const program = ((hash) => {
  for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" }).sort()) {
    if (name.endsWith(".js")) hash.update(readFileSync(join("dist", name)));
  }
  return hash.digest("hex").slice(0, 16);
})(createHash("sha256"));

async function tryModel(model: CorpusModel, kind: Kind): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), "bench-quantize-"));
  try {
    const [file, folder] = [join(corpus ?? "", model.file), join(scratch, "run")];
    const data = model.data && join(corpus ?? "", model.data.file);
    const given = data === null ? [] : ["--data", data];
    const outcome = await quantize([file, ...kinds[kind].arguments, ...given, "--out", folder]);
    const { summary, ...measured } = outcome;
    const result = { name: model.name, kind, program, ...measured };
    if (summary === null) return { ...result, written: null };
    const { layers, bytes, sqnrDb, agreement, verified: compared } = summary;
    const path = join(folder, "model.onnx");
    const { loss } = readQuantizedRecord(folder);
    const spoilers = loss?.layers.flatMap(({ layers }) => layers.slice(0, 1)) ?? [];
    await using before = await FileSession.load(file, file);
    await using after = await FileSession.load(path, path);
    const sameInterface = interfaceChange(before, after) === null;
    const web = data === null ? null : await webWords(file, path, await firstInputs(after, data));
    const written = { layers, bytes, compared, sqnrDb, agreement, spoilers, sameInterface, web };
    return { ...result, written };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function webWords(file: string, written: string, inputs: Awaited<ReturnType<typeof firstInputs>>) {
  const words = await runInWeb(written, inputs);
  if (words === null) return null;
  return (await runInWeb(file, inputs)) === null ? words : `float: ${words}`;
}

const chosen = values.kinds.split(",");
const wanted = (Object.keys(kinds) as Kind[]).filter((kind) => chosen.includes(kind.replace(" ", "")));
const named = models.filter(({ name }) => new RegExp(values.only).test(name));
if (wanted.length !== chosen.length || named.length === 0) {
  throw new Error(
    `--kinds ${values.kinds} --only ${values.only}: expected W8A8, W8, W4, 25%, and a model of the corpus`,
  );
}
for (const model of values.table ? [] : named) {
  for (const kind of wanted) {
    if (results.find(model.name, kind, program) || (kinds[kind].needsData && model.data === null)) continue;
    try {
      const result = await tryModel(model, kind);
      results.add(result);
      console.error(summaryOf(result));
    } catch (error) {
      // A defect: it is told, and tried again next time.
      console.error(`${model.name} ${kind}: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  }
}
console.log(corpusTable(named, results));
