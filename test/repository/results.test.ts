import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { withResults } from "../../scripts/results/readme.ts";

t.test("the README's results are those of the committed records: npm run results", async (t) => {
  const readme = readFileSync("README.md", "utf8");
  t.equal(withResults(readme), readme);
  t.not(
    withResults(readme.replace(/9\d\.\d\d\u202f%/, "12.34\u202f%")),
    readme.replace(/9\d\.\d\d\u202f%/, "12.34\u202f%"),
  );
});

t.test("each run's configuration is there", async (t) => {
  const linked = [...readFileSync("README.md", "utf8").matchAll(/\[[^\]]+\]\((configs\/[^)]+)\)/g)].map(
    ([, path]) => path!,
  );
  t.ok(linked.length > 0);
  for (const path of linked) t.ok(existsSync(path), path);
});
