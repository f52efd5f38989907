import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { publishedRuns } from "../../scripts/results/published.ts";
import { withResults } from "../../scripts/results/readme.ts";
import { changedSettings, describeChange } from "../../src/config/changes.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";

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

/** Settings that no result depends on: a file of another form can be written at any time. */
const ofNoResult = ["engine.threads", "export.form"];

t.test("each published run is of its configuration as it stands", async (t) => {
  const published = publishedRuns();
  t.ok(published.length > 0);
  for (const { record, config } of published) {
    const file = `configs/${config}.yaml`;
    const isSweep = /^sweep:/m.test(readFileSync(file, "utf8"));
    const now = isSweep
      ? planSweep(loadSweep(file), { threads: 1 }).runs.find((run) => run.config.name === record.name)?.config
      : loadConfig(file).config;
    const changes = changedSettings(record.config, now).filter(({ path }) => !ofNoResult.includes(path));
    t.strictSame(changes.map(describeChange), [], `${config}: ${record.name}`);
  }
});
