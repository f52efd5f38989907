import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runReport } from "../../src/commands/report-command.ts";
import { baselineFile } from "../../src/runs/baselines.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { clearRun } from "../../src/runs/run-directory.ts";
import { quantizedRecord } from "../fixtures/quantized-record.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { sampleRecord, unfinishedRecord } from "../fixtures/sample-record.ts";

/** Two run folders, and what the command prints. */
function setUp(folder: string) {
  const runs = [join(folder, "one"), join(folder, "two")] as const;
  writeRecord(runs[0], sampleRecord());
  writeRecord(runs[1], unfinishedRecord());
  const lines: string[] = [];
  const reporter = recordingReporter();
  return { runs, lines, reporter, context: { reporter, json: false, print: (line: string) => void lines.push(line) } };
}

t.test("each run gets its report beside its record, several their comparison, and the paths are printed", async (t) => {
  const folder = t.testdir({});
  const { runs, lines, context } = setUp(folder);
  runReport({ runs }, context);
  t.strictSame(lines, [...runs.map((run) => join(run, "report.html")), join(folder, "one-and-two.html")]);
  t.match(readFileSync(join(folder, "one-and-two.html"), "utf8"), 'href="two/report.html"');
  t.match(readFileSync(lines[0]!, "utf8"), "mnist-lenet5-quick");
  t.match(readFileSync(lines[1]!, "utf8"), "This run has not finished");
});

t.test("--out names the file of one run", async (t) => {
  const folder = t.testdir({});
  const { runs, lines, context } = setUp(folder);
  const out = join(folder, "new", "page.html");
  runReport({ runs: [runs[0]], out }, context);
  t.strictSame(lines, [out]);
  t.match(readFileSync(out, "utf8"), /^<!DOCTYPE html>/);
});

t.test("--out compares several runs in one file, which links to their reports", async (t) => {
  const folder = t.testdir({});
  const { runs, lines, context } = setUp(folder);
  runReport({ runs: [runs[0]] }, context);
  const out = join(folder, "pages", "all.html");
  runReport({ runs, out }, context);
  t.equal(lines.at(-1), out);
  const page = readFileSync(out, "utf8");
  t.match(page, "2 runs of");
  t.match(page, 'href="../one/report.html"');
  t.notMatch(page, "two/report.html", "which has no report");
});

t.test("--json tells each report's path in a line for machines", async (t) => {
  const folder = t.testdir({});
  const { runs, lines, context } = setUp(folder);
  const told = () => lines.splice(0).map((line): unknown => JSON.parse(line));
  runReport({ runs }, { ...context, json: true });
  t.strictSame(told(), [
    ...runs.map((run) => ({ run, report: join(run, "report.html") })),
    { runs, comparison: join(folder, "one-and-two.html") },
  ]);
  const out = join(folder, "all.html");
  runReport({ runs, out }, { ...context, json: true });
  t.strictSame(told(), [{ runs, comparison: out }]);
});

t.test("--baseline holds a run against another", async (t) => {
  const { runs, lines, context } = setUp(t.testdir({}));
  runReport({ runs: [runs[0]], baseline: [runs[0]] }, context);
  t.match(readFileSync(lines[0]!, "utf8"), "Against the baselines");
});

t.test("later reports keep the baselines, until they are told not to", async (t) => {
  const { runs, lines, reporter, context } = setUp(t.testdir({}));
  const isAgainst = () => readFileSync(lines.at(-1)!, "utf8").includes("Against the baselines");
  const report = (options: Omit<Parameters<typeof runReport>[0], "runs"> = {}) =>
    runReport({ runs: [runs[0]], ...options }, context);
  report();
  t.notOk(isAgainst());
  writeRecord(runs[1], { ...sampleRecord(), name: "another" });
  report({ baseline: [runs[1]] });
  t.ok(isAgainst());
  report();
  t.ok(isAgainst(), "without being asked");
  report({ out: join(runs[0], "elsewhere.html"), baselines: false });
  t.notOk(isAgainst(), "a page of another place keeps nothing");
  report();
  t.ok(isAgainst());
  rmSync(runs[1], { recursive: true });
  report();
  t.match(reporter.warnings.at(-1), /its report leaves out the baseline \.\.\/two: cannot read/);
  report({ baselines: false });
  t.notOk(isAgainst());
  t.notOk(existsSync(join(runs[0], baselineFile)));
  writeFileSync(join(runs[0], baselineFile), "[]");
  report();
  t.match(
    reporter.warnings.at(-1),
    /baselines\.json: it does not name runs: .* give them again with report --baseline/,
  );
  t.notOk(isAgainst());
  writeFileSync(join(runs[0], baselineFile), "{");
  report();
  t.match(reporter.warnings.at(-1), /cannot read .*baselines\.json: .*JSON/);
  mkdirSync(join(runs[0], "checkpoints"));
  clearRun(runs[0]);
  t.notOk(existsSync(join(runs[0], baselineFile)), "a new run has none");
});

t.test("the folder of a quantized file gets its report; of several widths, each its own", async (t) => {
  const folder = t.testdir({
    one: { "quantized.json": JSON.stringify(quantizedRecord()) },
    web: {
      "quantized.model_q4.json": JSON.stringify(quantizedRecord()),
      "quantized.model_quantized.json": JSON.stringify(quantizedRecord()),
    },
  });
  const { runs, lines, context } = setUp(join(folder, "trained"));
  runReport({ runs: [join(folder, "one"), join(folder, "web"), runs[0]] }, context);
  t.strictSame(lines, [
    join(folder, "one", "report.html"),
    join(folder, "web", "report.model_q4.html"),
    join(folder, "web", "report.model_quantized.html"),
    join(runs[0], "report.html"),
  ]);
  t.match(readFileSync(lines[1]!, "utf8"), "report of a quantized file");
  const out = join(folder, "elsewhere.html");
  runReport({ runs: [join(folder, "one")], out }, context);
  t.match(readFileSync(out, "utf8"), "digits.onnx");
  const refused = [
    { runs: [join(folder, "web")], out },
    { runs: [runs[0], join(folder, "one")], out },
    { runs: [runs[0]], baseline: [join(folder, "one")] },
  ];
  for (const options of refused) t.throws(() => runReport(options, context), { name: "UsageError", exitCode: 2 });
});

t.test("of a sweep's folder, or of any with runs in it, the comparison is written", async (t) => {
  const folder = t.testdir({ "index.html": "somebody's" });
  const sweep = join(folder, "sweep");
  const { lines, context } = setUp(join(sweep, "runs"));
  runReport({ runs: [sweep] }, context);
  runReport({ runs: [folder] }, context);
  runReport({ runs: [sweep], out: join(folder, "elsewhere.html") }, context);
  const pages = [join(sweep, "index.html"), join(folder, "comparison.html"), join(folder, "elsewhere.html")];
  t.strictSame(lines, pages);
  for (const page of pages) t.match(readFileSync(page, "utf8"), "2 runs of", page);
  t.equal(readFileSync(join(folder, "index.html"), "utf8"), "somebody's");
});

t.test("of many runs a comparison has the first ones' names", async (t) => {
  const folder = t.testdir({});
  const { lines, context } = setUp(folder);
  const runs = ["a", "b", "c", "d", "e"].map((name) => join(folder, name));
  for (const run of runs) writeRecord(run, sampleRecord());
  runReport({ runs }, context);
  t.equal(lines.at(-1), join(folder, "a-and-b-and-c-and-2-more.html"));
});

t.test("no run is no command", async (t) => {
  const { lines, context } = setUp(t.testdir({}));
  t.throws(() => runReport({ runs: [] }, context), { name: "UsageError", exitCode: 2 });
  t.strictSame(lines, []);
});

t.test("a folder without a record fails with exit code 1", async (t) => {
  const folder = t.testdir({ empty: {} });
  const { context } = setUp(folder);
  t.throws(() => runReport({ runs: [join(folder, "empty")] }, context), {
    exitCode: 1,
    message: /there is no such file/,
  });
});
