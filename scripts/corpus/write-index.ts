import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import type { Reporter } from "../../src/core/progress.ts";
import { describeModel } from "./describe-model.ts";
import type { CorpusPackage } from "./package-table.ts";
import { runModel } from "./run-model.ts";

const dataSchema = z.strictObject({ samples: z.int().positive(), origin: z.string(), real: z.boolean() });
const exportSchema = z.strictObject({
  exporter: z.enum(["dynamo", "legacy"]),
  error: z.string().nullable(),
  /** Whether the first axis of the inputs is free, or of one sample. */
  batch: z.enum(["free", "one"]).nullable(),
});

const readJson = <Value>(path: string, schema: z.ZodType<Value>): Value | null =>
  existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, "utf8"))) : null;

/** Where a model comes from, by the table of packages; null for one that PyTorch has exported. */
function originOf(packages: readonly CorpusPackage[], name: string) {
  for (const { registry, name: of, version, models } of packages) {
    const found = models.find((model) => model.name === name);
    if (found) return { registry, package: of, version, path: found.path, about: found.about };
  }
  return null;
}

/** All that the index says of a model. */
async function entryOf(set: string, name: string, packages: readonly CorpusPackage[], corpus: string) {
  const folder = join(corpus, set);
  const file = `${name}.onnx`;
  const description = describeModel(folder, file);
  const data = readJson(join(corpus, "data", `${name}.json`), dataSchema);
  const arrays = data && join(corpus, "data", `${name}.npz`);
  return {
    name,
    set,
    file: `${set}/${file}`,
    from: originOf(packages, name) ?? readJson(join(folder, `${name}.json`), exportSchema),
    ...description,
    onnxruntimeNode: await runModel(join(folder, file), description.inputs, arrays),
    data: data && { file: `data/${name}.npz`, ...data },
  };
}

/** Names of the files in a folder of the corpus that end in `ending`, without it. */
const namesIn = (folder: string, ending: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(ending) && !file.startsWith("."))
        .map((file) => basename(file, ending))
        .sort()
    : [];

/**
 * Writes `index.json`: of every model what it is, where it comes from, what its inputs are and whether onnxruntime-node
 * runs it on them; and which architectures PyTorch could not export, with its words.
 */
export async function writeIndex(
  packages: readonly CorpusPackage[],
  { corpus, reporter }: { readonly corpus: string; readonly reporter: Reporter },
): Promise<void> {
  const models = [];
  for (const set of ["packages", "architectures"]) {
    for (const name of namesIn(join(corpus, set), ".onnx")) {
      const entry = await entryOf(set, name, packages, corpus);
      if (entry.onnxruntimeNode.error !== null) reporter.warn(`${entry.file}: ${entry.onnxruntimeNode.error}`);
      models.push(entry);
    }
  }
  const exported = join(corpus, "architectures");
  const outcomes = namesIn(exported, ".json").map((name) => ({
    name,
    error: readJson(join(exported, `${name}.json`), exportSchema)?.error ?? null,
  }));
  const notExported = outcomes.filter(({ error }) => error !== null);
  writeFileAtomically(join(corpus, "index.json"), `${JSON.stringify({ models, notExported }, null, 1)}\n`);
  const run = models.filter(({ onnxruntimeNode }) => onnxruntimeNode.runs === true).length;
  reporter.info(`${models.length} models, ${run} of them run in onnxruntime-node: ${join(corpus, "index.json")}`);
}
