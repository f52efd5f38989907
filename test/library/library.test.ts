import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { nativeMissing } from "../fixtures/engines.ts";
import { compile, projectWithLibrary, runCompiled } from "../fixtures/packed-library.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const text = readFileSync("docs/library.md", "utf8");
const heading = /^## (.+)$/gm;

/** The examples of the document, by the heading that they stand under, in order. */
const examples = Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ({ 1: code, index }) => {
  const title = Array.from(text.slice(0, index).matchAll(heading)).at(-1)![1]!;
  return { title, name: title.toLowerCase().replaceAll(/[^a-z]+/g, "-"), code: code! };
});

t.test(
  "the document's examples, in a project that has the package alone",
  { skip: nativeMissing(), timeout: 600_000 },
  async (t) => {
    const folder = t.testdir();
    const data = writeSmallMnist(join(folder, "data"), { train: 320, test: 100 });
    projectWithLibrary(folder);
    for (const { name, code } of examples) {
      const small = code
        .replaceAll('name: "mnist"', `name: "mnist", folder: ${JSON.stringify(data)}`)
        .replaceAll("training: {", "export: { latency: false }, training: {");
      writeFileSync(join(folder, `${name}.ts`), small);
    }
    if (!t.equal(compile(folder), "", "they compile, and the package's types with them")) return;
    const said = new Map<string, string>();
    for (const { title, name } of examples) {
      const { status, stdout, stderr } = runCompiled(folder, name);
      t.equal(status, 0, `${title}: ${stderr}`);
      said.set(title, stdout);
      t.equal(stderr, "", `${title}: nothing on standard error`);
    }
    t.match(said.get("An example from end to end"), /top-1: (\S+) % in the trainer, \1 % in onnxruntime/);
    t.match(said.get("Configurations"), /seed: expected at least 0, got -1 \(given as an object\)/);
    t.match(said.get("Training, stopping and resuming"), /^stopped after saving: .*\nepoch 1: .*\nepoch 2: /);
    t.match(said.get("Quantizing a trained network"), /^conv1: 4 bits, error /);
    for (const page of ["rounded.html", "comparison.html"]) t.ok(existsSync(join(folder, "runs", page)), page);
  },
);

t.test("the first example is short, and the package has what its program compiles and reads", (t) => {
  t.ok(examples[0]!.code.split("\n").length <= 31, "30 lines");
  const { files, exports } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const kind of ["cc", "h"]) t.ok(files.includes(`src/engine/native/*.${kind}`));
  t.ok(files.includes("docs"));
  t.match(exports, { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } });
  t.end();
});
