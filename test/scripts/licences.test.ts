import { readFileSync } from "node:fs";
import t from "tap";
import { licencesPage, npmPackages, pythonPackages } from "../../scripts/licences/licences.ts";

const lock = (packages: Readonly<Record<string, object>>) => JSON.stringify({ packages: { "": {}, ...packages } });

t.test("the list of licences is that of what is pinned: npm run licences writes it", async (t) => {
  t.equal(readFileSync("docs/licences.md", "utf8"), licencesPage());
});

t.test("it names what is under the LGPL first", async (t) => {
  const [, lgpl = ""] = licencesPage().split(/^## .*$/m);
  t.match(lgpl, "| @img/sharp-libvips-linux-x64 |");
  t.match(lgpl, "| quantizers |");
});

t.test("packages of an installation are listed once, without those of development", async (t) => {
  const mit = { version: "1.0.0", license: "MIT" };
  const packages = npmPackages(
    lock({
      "node_modules/b": mit,
      "node_modules/a": { version: "2.0.0", license: "ISC", optional: true },
      "node_modules/a/node_modules/b": mit,
      "node_modules/tool": { ...mit, dev: true },
    }),
  );
  t.strictSame(packages, [
    { name: "a", version: "2.0.0", licence: "ISC" },
    { name: "b", version: "1.0.0", licence: "MIT" },
  ]);
});

t.test("a licence that nobody has looked at is an error", async (t) => {
  const gpl = lock({ "node_modules/a": { version: "1.0.0", license: "GPL-3.0-only" } });
  t.throws(() => npmPackages(gpl), { message: /^a 1\.0\.0 has the licence GPL-3\.0-only, which is not among/ });
  t.throws(() => npmPackages(lock({ "node_modules/a": { version: "1.0.0" } })), { message: /has the licence none/ });
});

t.test("so is that of a Python package's next version, and one of none that is pinned", async (t) => {
  const numpy = "numpy==1.1 ; x\n    --hash=sha256:00\n";
  t.strictSame(pythonPackages(numpy, { "numpy==1.1": "MIT" }), [{ name: "numpy", version: "1.1", licence: "MIT" }]);
  for (const licences of [{}, { numpy: "MIT" }, { "numpy==1.0": "MIT" }])
    t.throws(() => pythonPackages(numpy, licences), { message: /^the licence of .* numpy==1\.1 is not given$/ });
  const both = { "numpy==1.0": "MIT", "numpy==1.1": "MIT" };
  t.throws(() => pythonPackages(numpy, both), { message: /that are not pinned: numpy==1\.0$/ });
});
