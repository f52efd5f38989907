import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { compactRecord, isShown } from "../../scripts/results/compact-records.ts";
import { pages, pagesOfResults, withTables } from "../../scripts/results/pages.ts";
import { publishedRecords, publishedRuns } from "../../scripts/results/published.ts";
import { changedSettings, describeChange } from "../../src/config/changes.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";

const documents = ["README.md", "ARCHITECTURE.md", ...readdirSync("docs").map((name) => join("docs", name))];

t.test("the tables of results are those of the committed records: npm run results", async (t) => {
  const published = publishedRuns();
  for (const { page, before, after } of pagesOfResults()) {
    t.equal(after, before, page);
    const wrong = before.replace(/([89]\d|± \d)\.\d\d\u202f%/, "12.34\u202f%");
    t.not(wrong, before, page);
    t.equal(withTables(wrong, { page, tables: pages[page]!, published }), before, page);
  }
});

t.test("each run's configuration is there, and so is all else that pages link to", async (t) => {
  for (const page of documents) {
    const linked = [...readFileSync(page, "utf8").matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
    for (const path of new Set(linked)) t.ok(existsSync(join(dirname(page), path)), `${page}: ${path}`);
  }
});

t.test("reports/ is small: records without indentation, and no page that nothing leads to", async (t) => {
  for (const path of publishedRecords()) {
    const text = readFileSync(path, "utf8");
    t.equal(text.length, compactRecord(text, { shown: isShown(path) }).length, `${path}: npm run results`);
  }
  const committed = execFileSync("git", ["ls-files", "-z", "--", "reports"], { encoding: "utf8" })
    .split("\0")
    .filter(existsSync);
  const bytes = committed.reduce((sum, path) => sum + statSync(path).size, 0);
  t.ok(bytes < 10e6, `${bytes} bytes`);
  const leadsTo = (page: string, link: RegExp): readonly string[] =>
    [...readFileSync(page, "utf8").matchAll(link)].map(([, path]) => join(dirname(page), path!));
  const fromDocuments = documents.flatMap((page) => leadsTo(page, /\]\(([^)#:\s]+)/g));
  const pages = committed.filter((path) => path.endsWith(".html"));
  const first = pages.filter((page) => fromDocuments.includes(page));
  const linked = new Set([...first, ...first.flatMap((page) => leadsTo(page, /href="([^"#:]+)"/g))]);
  t.strictSame(
    pages.filter((page) => !linked.has(page)),
    [],
  );
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
