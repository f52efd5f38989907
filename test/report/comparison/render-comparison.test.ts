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
  const cells = Array.from(page.matchAll(/1\.05×<\/td>\s*<td[^>]*>([^<]*)</g), ([, text]) => text);
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

/** The marks of a figure, as the page's script reads them. */
const marksOf = (
  page: string,
  id: string,
): { marks: { title: string; lines: [string, string][] }[]; columns: number } =>
  JSON.parse(new RegExp(`id="${id}-data">([^<]*)<`).exec(page)![1]!);

t.test(
  "every layer's bits in every run with a result, by rising bit operations, as a picture and a table",
  async (t) => {
    const page = renderComparison(comparedRecords());
    const { layers } = sampleRecord().result!;
    const { marks, columns } = marksOf(page, "bits-1");
    t.equal(columns, 6, "runs with a result");
    t.equal(marks.length, 2 * layers.length * columns, "weights and activations");
    t.equal(marks[0]!.title, `${layers[0]!.name} in bits-0.3, seed 1`, "the cheapest first");
    t.equal(marks[columns - 1]!.title, `${layers[0]!.name} in float`, "the dearest last");
    t.strictSame(marks[columns]!.lines[0], ["weight", `${layers[1]!.weightBits} bits`]);
    const drawn = layers.flatMap(({ weightBits, inputBits }) => [weightBits, inputBits]);
    for (const bits of new Set(drawn)) {
      const cells = count(page, `fill="var(--bits-${bits})"`);
      t.equal(
        cells,
        2 * columns * drawn.filter((one) => one === bits).length,
        `cells of ${bits} bits, wide and narrow`,
      );
    }
    const table = /id="bits-1-table"[\s\S]*?<\/table>/.exec(page)![0];
    const cell = `data-value="${layers[0]!.weightBits} / ${layers[0]!.inputBits}"`;
    t.equal(count(table, "<tr data-runs="), columns);
    t.ok(count(table, cell) >= columns, cell);
  },
);

t.test("a layer whose channels are all pruned has no bits", async (t) => {
  const record = sampleRecord();
  const [first, ...others] = record.result!.layers;
  const layers = [{ ...first!, keptOutputs: 0 }, ...others];
  const page = renderComparison([{ ...record, result: { ...record.result!, layers } }]);
  t.strictSame(marksOf(page, "bits-1").marks[0]!.lines[0], ["weight", "pruned"]);
});

t.test("networks have pictures of their own, and of hundreds of runs some are drawn", async (t) => {
  const record = sampleRecord();
  const fashion = { ...record, data: { ...record.data, name: "fashion-mnist" } };
  const runs = Array.from({ length: 100 }, (_, seed) => ({ ...record, seed }));
  const page = renderComparison([...runs, fashion]);
  t.match(page, "Bits by layer and run: lenet5 on mnist");
  t.match(page, "Bits by layer and run: lenet5 on fashion-mnist");
  t.match(page, "64 of 100 runs are drawn; the table has all.");
  t.equal(marksOf(page, "bits-1").columns, 64);
});

t.test("a method has the same colour on every page, whichever runs are beside it", async (t) => {
  const records = comparedRecords();
  const fixed = records.filter(({ config }) => config.method.name === "fixed");
  const symbols = (page: string) =>
    new Set(
      Array.from(
        page.matchAll(/<g data-i="\d+"[^>]*><path class="frame"[^>]* fill="([^"]*)"/g),
        ([, fill]) => fill,
      ).filter((fill) => fill !== "none"),
    );
  t.strictSame([...symbols(renderComparison(fixed))], ["var(--series-2)"]);
  t.ok(symbols(renderComparison(records)).has("var(--series-2)"));
  t.match(renderComparison(fixed), /class="method"><svg[^>]*><path[^>]*var\(--series-2\)/);
});

t.test("fronts draw every run's interval, and an axis reaches to its ends", async (t) => {
  const page = renderComparison(comparedRecords());
  t.equal(count(page, 'stroke-opacity="0.6"'), 6 * 2 * 2, "six runs, two fronts, two widths");
  t.match(page, "95\u202f% interval</li>");
  const record = sampleRecord();
  const regression = renderComparison([
    { ...record, task: { ...record.task, metrics: [{ ...record.task.metrics[0], isShare: false }] } },
  ]);
  t.equal(count(regression, 'stroke-opacity="0.6"'), 0, "no share of the images, no interval");
});

t.test("a run at chance stands at the edge, named, and the others keep their axis", async (t) => {
  const [first, ...others] = comparedRecords();
  const failed = { ...first!, name: "failed", seed: 9, result: { ...first!.result!, metrics: { top1: 11.35 } } };
  const own = { ...failed, config: { ...failed.config, seed: 9, training: { ...failed.config.training, epochs: 3 } } };
  const ticks = (page: string) =>
    Array.from(
      /id="front-1-bops"[\s\S]*?<\/svg>/.exec(page)![0].matchAll(/text-anchor="end"[^>]*>([\d.]+)</g),
      ([, tick]) => Number(tick),
    );
  const page = renderComparison([first!, ...others, own]);
  t.match(page, "At the edge, because it lies far below: failed, 11.35\u202f%.");
  t.ok(Math.min(...ticks(page)) > 98, `${ticks(page)}`);
  t.notOk(renderComparison([first!, ...others]).includes("At the edge"));
});

t.test("latency is told over that of the float32 file that was measured with it", async (t) => {
  const record = sampleRecord();
  const latency = record.exports[0]!.verification!.latency!;
  const { medianMs, fp32MedianMs } = latency.toSorted((one, other) => one.batch - other.batch)[0]!;
  const page = renderComparison([record]);
  t.match(page, `data-value="${medianMs / fp32MedianMs}"`);
  t.match(page, "Latency, of float32");
});

t.test("a few configurations stand beside each other, setting by setting; many below each other", async (t) => {
  const table = (page: string) => /id="difference-table"[\s\S]*?<\/table>/.exec(page)![0];
  const few = table(renderComparison(comparedRecords()));
  t.match(few, /<th scope="col"><bdi>bits-0\.1<\/bdi><\/th>/);
  t.match(few, /<th scope="row" data-value="method\.prior\.strength">/);
  const records = comparedRecords();
  const more = [7, 9].map((epochs) => ({
    ...records[0]!,
    name: `epochs-${epochs}`,
    config: { ...records[0]!.config, name: `epochs-${epochs}`, training: { ...records[0]!.config.training, epochs } },
  }));
  const many = table(renderComparison([...records, ...more]));
  t.match(many, /<th scope="row" data-value="epochs-7">/);
  t.match(many, "method.<wbr>prior.<wbr>strength", "a path may be broken");
});
