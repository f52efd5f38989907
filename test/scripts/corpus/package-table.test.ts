import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { filesOf, parseTable, readTable } from "../../../scripts/corpus/package-table.ts";

const sha256 = "0123456789abcdef".repeat(4);
const table = ({ checksum = sha256 } = {}) => `
- registry: pypi
  name: carrier
  version: 1.2.3
  bytes: 1000
  sha256: ${sha256}
  models:
    - { name: first-model, about: what it does, path: carrier/a.onnx, bytes: 10, sha256: ${checksum},
        data: { path: carrier/a.onnx.data, bytes: 90, sha256: ${sha256} } }
  sources:
    - { path: carrier/one/words.txt, bytes: 5, sha256: ${sha256} }
    - { path: carrier/one/text.txt, bytes: 5, sha256: ${sha256} }
`;

t.test("the committed table is well-formed and pins at least 34 models", async (t) => {
  const models = readTable().flatMap(({ models }) => models);
  t.ok(models.length >= 34, `${models.length} models`);
  t.equal(new Set(models.map(({ sha256 }) => sha256)).size, models.length, "each file once");
});

t.test("inputs are made for every model", async (t) => {
  const folder = "scripts/corpus/python";
  const scripts = readdirSync(folder).filter((file) => file.endsWith("_inputs.py"));
  const text = scripts.map((file) => readFileSync(`${folder}/${file}`, "utf8")).join("\n");
  const without = readTable()
    .flatMap(({ models }) => models)
    .filter(({ name }) => !text.includes(`"${name}"`));
  t.strictSame(
    without.map(({ name }) => name),
    [],
  );
});

t.test("a model goes by its name, its weights and sources by theirs", async (t) => {
  const [carrier] = parseTable(table());
  t.ok(carrier);
  t.strictSame(carrier && filesOf(carrier).map(({ place }) => place), [
    "packages/first-model.onnx",
    "packages/a.onnx.data",
    "sources/carrier/words.txt",
    "sources/carrier/text.txt",
  ]);
});

t.test("what pins nothing is refused, with its place", async (t) => {
  t.throws(() => parseTable(table({ checksum: "abc" })), {
    message: /SHA-256 in hexadecimal[\s\S]*\[0\]\.models\[0\]/,
  });
  t.throws(() => parseTable(table().replace("1.2.3", "^1.2.3")), { message: /exact version[\s\S]*\[0\]\.version/ });
  t.throws(() => parseTable(table().replace(`sha256: ${sha256}`, "integrity: none")), { message: /sha256/ });
});

t.test("two files that would lie in one place are refused", async (t) => {
  const twice = table().replace("text.txt", "words.txt");
  t.throws(() => parseTable(twice.replace("carrier/one/words", "carrier/two/words")), {
    message: /two files for sources\/carrier\/words\.txt/,
  });
});
