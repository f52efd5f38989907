import t from "tap";
import { renderReport } from "../../../src/report/run/render-report.ts";
import { recordSchema } from "../../../src/runs/record.ts";
import type { SearchRecord } from "../../../src/runs/search-schema.ts";
import { sampleRecord } from "../../fixtures/sample-record.ts";
import { searchedRecord } from "../../fixtures/searched-record.ts";

const pageOf = (change: (search: SearchRecord) => Partial<SearchRecord> = () => ({})): string => {
  const record = searchedRecord();
  return renderReport({ ...record, search: { ...record.search!, ...change(record.search!) } });
};

const whole = pageOf();

/** The values of a figure, as the page's script reads them. */
const dataOf = (page: string, id: string) => JSON.parse(new RegExp(`id="${id}-data">([^<]*)<`).exec(page)![1]!);

const tableOf = (page: string, id: string): readonly (readonly string[])[] => {
  const body = new RegExp(`<div class="table" id="${id}">[\\s\\S]*?<tbody>([\\s\\S]*?)</tbody>`).exec(page)![1]!;
  return Array.from(body.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs), ([, row]) =>
    Array.from(row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs), ([, cell]) => cell!.replace(/<[^>]*>/g, " ").trim()),
  );
};

t.test("a run that searched says what each search found, what it cost and how long it took", async (t) => {
  recordSchema.parse(searchedRecord());

  t.strictSame(tableOf(whole, "searches"), [
    ["AutoQ trained with", "98.20\u202f%", "−0.80 points", "0.8\u202f%", "3", "5", "5\u202fmin 12\u202fs"],
    ["Random search", "97.40\u202f%", "−1.60 points", "0.85\u202f%", "2", "5", "1\u202fmin 1\u202fs"],
    ["Greedy search", "98.10\u202f%", "−0.90 points", "0.98\u202f%", "5", "3", "1\u202fmin 1\u202fs"],
  ]);
  t.match(whole, "The same in all rows: policies 5.");
  t.notOk(renderReport(sampleRecord()).includes('id="search"'), "nothing where nothing was searched");
});

t.test("the best so far grows; policies beyond the budget have no reward", async (t) => {
  const { series } = dataOf(whole, "rewards");
  const values = new Map<string, (number | null)[]>(
    series.map(({ name, values }: { name: string; values: (number | null)[] }) => [name, values]),
  );
  t.strictSame(values.get("AutoQ, each"), [-0.19, -0.26, -0.08, -8.77, -0.1], "exact, though one lies at the edge");
  t.strictSame(values.get("AutoQ, best so far"), [-0.19, -0.19, -0.08, -0.08, -0.08]);
  t.strictSame(values.get("Greedy search, each"), [null, null, -0.11, -0.11, -0.09]);
  t.strictSame(values.get("Greedy search, best so far"), [null, null, -0.11, -0.11, -0.09]);
  t.match(whole, "1 far below stand at the edge.");
});

t.test("every policy is drawn, with the front of all, the budget, and the one that was trained with", async (t) => {
  const { marks } = dataOf(whole, "policies");
  t.equal(marks.length, 15);
  t.strictSame(marks[2], {
    title: "AutoQ, policy 3",
    lines: [
      ["top-1", "98.20\u202f%"],
      ["relative BOPs", "0.8\u202f%"],
    ],
  });
  const summary = /aria-label="Top-1, %, against cost, policy by policy\. ([^"]*)"/.exec(whole)![1]!;
  t.match(
    summary,
    "0.5\u202f%, 11.30\u202f%; 0.6\u202f%, 95.20\u202f%; 0.7\u202f%, 96.40\u202f%; 0.8\u202f%, 98.20\u202f%; 3.1\u202f%",
  );
  t.match(summary, "Trained with: 0.8\u202f%, 98.20\u202f%.");
  const rings = whole.match(/<g data-i="2"[^>]*>(?:(?!<\/g>).)*<circle r="8"/g);
  t.equal(rings?.length, 2, "the chosen one, wide and narrow");
  t.match(whole, "</svg>budget</li>");
  t.notOk(pageOf(() => ({ limit: null })).includes("</svg>budget</li>"), "no budget");
});

t.test("of thousands of policies some are drawn, those of the front and the chosen one always", async (t) => {
  const policies = 3000;
  const page = pageOf(({ searches: [own, ...others] }) => {
    const poor = Array.from({ length: policies }, (_, index) => ({
      score: 90,
      cost: 0.9 + index * 1e-6,
      reward: -0.9,
    }));
    const episodes = [...poor, { score: 97.3, cost: 0.9, reward: -0.1 }, { score: 89, cost: 0.99, reward: -1 }];
    return { searches: [{ ...own!, episodes, best: { ...episodes[policies]!, episode: policies } }, ...others] };
  });
  const { marks } = dataOf(page, "policies");
  t.ok(marks.length < 500, `${marks.length}`);
  t.ok(marks.some(({ title }: { title: string }) => title === `AutoQ, policy ${policies + 1}`));
  t.match(page, `${marks.length} of 3,012 policies are drawn.`);
});

t.test("layers have goals beside what they got, where the search sets any", async (t) => {
  const names = (page: string) => dataOf(page, "searched-layers").series.map(({ name }: { name: string }) => name);
  t.strictSame(names(whole), ["goal", "weights, mean", "activation read"]);
  const goalless = pageOf(({ layers, searches: [own, ...others] }) => ({
    layers: layers.map((layer) => ({ ...layer, goal: null })),
    searches: [{ ...own!, name: "haq" }, ...others],
  }));
  t.strictSame(names(goalless), ["weights, mean", "activation read"]);
  t.match(goalless, "HAQ chose bit-widths within 1\u202f% of");
  const [layer] = searchedRecord().search!.layers;
  const many = pageOf(() => ({ layers: Array.from({ length: 30 }, (_, index) => ({ ...layer!, name: `l${index}` })) }));
  t.strictSame(tableOf(many, "searched-layers")[29], ["l29", "6.5", "5.25", "8"], "many layers are a table");
});

t.test("searches that found nothing within a budget of bytes, and records without times, give pages too", async (t) => {
  const record = searchedRecord();
  const { searchSeconds: _, ...times } = record.times;
  const searches = record.search!.searches.map((one, index) => ({
    ...one,
    best: index === 0 ? one.best : null,
    episodes: one.episodes.map((policy) => ({ ...policy, cost: index === 0 ? 4321 : 9876 })),
  }));
  const search = { ...record.search!, unit: "sizeBytes" as const, limit: 5000, searches };
  const page = renderReport({ ...record, times, search });
  t.strictSame(tableOf(page, "searches")[1], ["Random search", "–", "–", "–", "–", "0"]);
  t.match(page, "within 5.00\u202fkB.");
  t.match(page, ">packed weights, kB</text>");
  t.equal(/NaN|undefined|Infinity/.exec(page.replace(/<script[\s\S]*?<\/script>/g, ""))?.[0], undefined);
});
