import t from "tap";
import { publishedRuns } from "../../../scripts/results/published.ts";
import { renderComparison } from "../../../src/report/comparison/render-comparison.ts";
import { comparedRecords, hostileComparison } from "../../fixtures/compared-records.ts";
import { sampleRecord, unfinishedRecord } from "../../fixtures/sample-record.ts";

const withoutScripts = (page: string): string => page.replace(/<script[\s\S]*?<\/script>/g, "");
const count = (text: string, part: string): number => text.split(part).length - 1;

t.test("the page has every run, its interval, the published result and what differs", async (t) => {
  const page = renderComparison(comparedRecords(), { title: "Strengths" });
  for (const text of [
    "<title>Strengths · Bayesian Bits</title>",
    "7 runs of 5 configurations",
    "99.12–99.45",
    "arXiv 2005.07093",
    "method.prior.strength",
    "1 of the runs has no result yet",
  ]) {
    t.ok(page.includes(text), text);
  }
  t.equal(renderComparison(comparedRecords(), { title: "Strengths" }), page, "the same records give the same bytes");
});

t.test("the front is of the means of the seeds; baselines can be on it, published results cannot", async (t) => {
  const page = renderComparison(comparedRecords());
  const summary = /aria-label="(Top-1, %, against relative bit operations[^"]*)"/.exec(page)![1]!;
  t.match(summary, "bits-0.3, 0.215, 99.06 percent; bits-0.1, 0.39, 99.27 percent; eight, 6.25, 99.31 percent.");
});

t.test("networks on different data have fronts of their own", async (t) => {
  const record = sampleRecord();
  const page = renderComparison([record, { ...record, data: { ...record.data, name: "fashion-mnist" } }]);
  t.match(page, "Pareto front: lenet5 on mnist");
  t.match(page, "Pareto front: lenet5 on fashion-mnist");
});

t.test("latencies have their threads beside them, where they differ and a record knows them", async (t) => {
  const record = sampleRecord();
  const verification = record.exports[0]!.verification!;
  const withThreads = (threads: number) => {
    const latency = verification.latency!.map((one) => ({ ...one, threads }));
    return {
      ...record,
      seed: 1 + threads,
      exports: [{ ...record.exports[0]!, verification: { ...verification, latency } }],
    };
  };
  t.notOk(renderComparison([record]).includes("Latency’s threads"));
  const alike = renderComparison([withThreads(2), { ...withThreads(2), seed: 9 }]);
  t.notOk(alike.includes("Latency’s threads"), "where all have the same, the note tells");
  t.match(alike, "in the runtime, with 2 threads and on the machine");
  const page = withoutScripts(renderComparison([record, withThreads(2)]));
  t.ok(page.includes("Latency’s threads"));
  const cells = Array.from(page.matchAll(/0\.312\u202fms<\/td>\s*<td[^>]*>([^<]*)</g), ([, text]) => text);
  t.strictSame(cells, ["–", "2"]);
});

t.test("runs link to their reports where they have one", async (t) => {
  const [first] = comparedRecords();
  const page = renderComparison(comparedRecords(), {
    linkOf: ({ seed, name }) => (name === first!.name && seed === 1 ? "../a%20b/report.html" : null),
  });
  t.equal(count(page, 'href="../a%20b/report.html"'), 1);
});

t.test("no runs, runs without results and one run alone give pages too", async (t) => {
  for (const records of [[], [unfinishedRecord(), unfinishedRecord({ epochs: 0 })], [sampleRecord()]]) {
    const page = renderComparison(records);
    t.equal(/NaN|undefined|Infinity/.exec(withoutScripts(page))?.[0], undefined);
    t.match(page, "</html>");
  }
});

t.test("hostile names stay text", async (t) => {
  const page = renderComparison(hostileComparison(), { title: "<img src=x>" });
  t.equal(count(page, "<img"), 0);
  t.equal(count(page, "<!--"), 0);
  t.equal(/[\u202a-\u202e\u2066-\u2069]/.exec(page)?.[0], undefined);
  t.equal(/ style="| on\w+="/.exec(withoutScripts(page))?.[0], undefined);
  t.ok(page.length < 500_000, "10,000 characters are cut where they are shown");
});

t.test("runs are held against float32 and their budgets, where they have such", async (t) => {
  const records = publishedRuns().filter(({ config }) => config === "fashion-mnist-front");
  const page = renderComparison(records.map(({ record }) => record));
  for (const text of ["Against float32", "Its 95\u202f% interval", "Budget", "Newcombe’s, unpaired"])
    t.match(page, text);
  t.match(page, /data-value="(met|not met)"/);
  const float = records.filter(({ record }) => record.config.method.name === "fp32").map(({ record }) => record);
  const alone = renderComparison([...float, ...float]);
  for (const text of ["Against float32", ">Budget<"]) t.notOk(alone.includes(text), text);
});
