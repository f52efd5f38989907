import { execFileSync } from "node:child_process";
import t from "tap";
import { harmCurve } from "../../../src/ptq/harm-curve.ts";
import { renderQuantizedReport } from "../../../src/report/quantized/render-quantized-report.ts";
import { hostileNames } from "../../fixtures/hostile-record.ts";
import {
  bopsRecord,
  hostileQuantizedRecord,
  lossyRecord,
  plainRecord,
  quantizedRecord,
} from "../../fixtures/quantized-record.ts";

const withoutScript = (page: string): string => page.replace(/<script>[\s\S]*<\/script>/, "");

/** The first place that has the pattern, or null: a failing test then shows the place and not the page. */
const found = (page: string, pattern: RegExp): string | null => pattern.exec(page)?.[0] ?? null;

const count = (page: string, text: string): number => page.split(text).length - 1;

/** A section by its id. */
const sectionOf = (page: string, id: string): string =>
  new RegExp(`<section id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";

/** The cells of a table, row by row. */
const cellsOf = (page: string, id: string): readonly (readonly string[])[] =>
  [
    ...(new RegExp(`id="${id}"[\\s\\S]*?<tbody>([\\s\\S]*?)</tbody>`).exec(page)?.[1] ?? "").matchAll(
      /<tr>(.*?)<\/tr>/g,
    ),
  ].map(([, row = ""]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell = ""]) => cell.replace(/<[^>]*>/g, "")),
  );

/** The words that a shell makes of the command in a section. */
const wordsOf = (section: string): readonly string[] => {
  const text = /<pre class="command"><code>([\s\S]*?)<\/code>/.exec(section)?.[1] ?? "";
  const command = text.replaceAll("&#39;", "'").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  const script = `bayesian-bits() { printf '%s\\n' "$@"; }\n${command}`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trimEnd().split("\n");
};

t.test("the same record gives the same bytes", async (t) => {
  t.equal(renderQuantizedReport(quantizedRecord()), renderQuantizedReport(quantizedRecord()));
});

t.test("the headline: bytes, outputs, classes, kernels", async (t) => {
  const [head = ""] = renderQuantizedReport(quantizedRecord()).split("<main");
  for (const text of [
    ...["310\u202fkB", "of 2.33\u202fMB: 7.52× smaller", "34.3\u202fdB", "0.99981", "99.42\u202f%", "4 of 5", "2 of 4"],
    ...["98.83\u202f%", "99.42\u202f% in the file that went in: −0.59 points"],
  ])
    t.ok(head.includes(text), text);
  t.equal(found(head, /class="banner"/), null);
});

t.test("what is below its thresholds is said first, with what to do", async (t) => {
  const record = lossyRecord();
  const page = renderQuantizedReport(record);
  const at = (text: string) => page.indexOf(text);
  t.ok(at("has 11.9 dB (30 dB wanted)") > 0);
  t.ok(at("has 11.9 dB (30 dB wanted)") < at('class="headline"'), "before the headline");
  t.ok(at('<section id="loss"') < at('<section id="outputs"'), "and the first section");
  t.strictSame(cellsOf(page, "costly-layers"), [
    ["conv1", "4", "8", "7.5\u202fdB"],
    ["fc1 and it&#39;s", "8", "32", "all: not one number differs"],
  ]);
  const words = wordsOf(sectionOf(page, "loss"));
  t.strictSame(words, [
    ...["quantize", "quantize.yaml", "--set", 'bits.layers={"conv1":8,"*first*":8}'],
    ...["--set", 'skip=["fc1","it\'s","/head/*"]', "--out", "../again"],
  ]);
  const nothing = { loss: { ...record.loss!, layers: [] } };
  t.match(renderQuantizedReport({ ...record, ...nothing }), "No single weight costs it: try --activations 16 or 32");
  t.match(renderQuantizedReport({ ...bopsRecord(), ...nothing }), "No single weight costs it: give the budget more");
});

t.test("every layer has a row: what it is, and how far it is from the float file", async (t) => {
  const rows = cellsOf(renderQuantizedReport(quantizedRecord()), "layer-table");
  t.strictSame(rows, [
    ["conv1", "Conv", "32×1×5×5", "4", "channel", "bit-split", "integers", "400\u202fB", "25.1"],
    ["conv2", "Conv", "64×32×5×5", "4", "channel", "bit-split", "integers", "25.6\u202fkB", "exact"],
    ["fc1", "Gemm", "512×1024", "4", "channel", "bit-split", "float", "262\u202fkB", "30.3"],
    ["fc2", "Gemm", "10×512", "4", "32 inputs", "nearest", "integers", "2.56\u202fkB", "–"],
  ]);
});

t.test("widths of output channels: their mean, each of them, and how often there are such", async (t) => {
  const record = quantizedRecord();
  const { plan } = record;
  const channelBits = "28442222".repeat(8);
  const mean = 26 / 8;
  const layers = record.layers.map((layer) => (layer.name === "conv2" ? { ...layer, bits: mean, channelBits } : layer));
  const weights = plan!.table.weights.map((weight) => {
    if (!weight.layers.includes("conv2")) return weight;
    return { ...weight, choices: [...weight.choices, { ...weight.choices[0]!, bits: mean, channelBits, rowError: 1 }] };
  });
  const [best, ...others] = plan!.plans;
  const plans = [{ ...best!, bits: [8, mean, 4, 4] }, ...others];
  const page = renderQuantizedReport({
    ...record,
    layers,
    plan: { ...plan!, table: { ...plan!.table, weights }, plans },
  });
  t.equal(cellsOf(page, "layer-table")[1]![3], "3.25");
  t.strictSame(cellsOf(page, "channel-bits")[0]!.slice(3), ["3.25", "2 40", "4 16", "8 8"]);
  t.equal(cellsOf(page, "plan-table")[0]![1], "2 at 4 bits, 1 at 8 bits, 1 by channel (3.25 bits)");
  t.strictSame(cellsOf(page, "harm-table")[1]!.slice(2), ["3.25", "0.00115", "4.42e-5", "0"]);
});

t.test("what is left, grids of activations, notes, settings and checksums are there", async (t) => {
  const record = quantizedRecord();
  const page = renderQuantizedReport(record);
  t.strictSame(cellsOf(page, "left-table"), [["lookup", "Gather", "its weight has only 8 numbers"]]);
  t.strictSame(cellsOf(page, "activation-table"), [["relu1", "8", "0.0059", "3", "-0.0177", "1.487"]]);
  t.match(sectionOf(page, "notes"), record.notes[0]!);
  for (const { sha256 } of [record.source, ...record.files]) t.ok(page.includes(sha256));
  t.strictSame(wordsOf(sectionOf(page, "settings")), ["quantize", "quantize.yaml", "--out", "../again"]);
});

t.test("a budget: the plans that were looked at, and the command of every other budget", async (t) => {
  const { plan } = quantizedRecord();
  const page = renderQuantizedReport(quantizedRecord());
  t.strictSame(
    cellsOf(page, "plan-table").map(([how, weights, , , error]) => [how, weights, error]),
    [
      ["harms measured around another plan (chosen)", "3 at 4 bits, 1 at 8 bits", "0.000251"],
      ["least sum of harms", "4 at 4 bits", "0.000303"],
      ["one width everywhere", "4 at 2 bits", "0.0132"],
    ],
  );
  const curve = harmCurve(plan!.table, plan!.plans[0]!);
  t.ok(curve.length > 4);
  t.strictSame(
    cellsOf(page, "budget-table").map((cells) => cells.at(-1)),
    curve.map(({ budget }) => `bayesian-bits quantize . --budget ${budget}`),
  );
  const marks = (id: string): readonly { title: string; lines: readonly (readonly string[])[] }[] =>
    JSON.parse(new RegExp(`id="${id}-data">([^<]*)<`).exec(page)![1]!).marks;
  t.equal(marks("plans").length, 3 + curve.length);
  t.match(marks("plans")[0], { title: "The chosen plan" });
  t.equal(marks("harms").length, 12, "every width of every weight");
  t.strictSame(marks("harms").filter(({ lines }) => lines[0]![1]!.endsWith(", chosen")).length, 4);
  t.strictSame(cellsOf(page, "harm-table")[1], ["conv2", "51,200", "4", "0.00115", "4.42e-5", "0"]);
});

t.test(
  "a budget of bit operations: widths of activations, percent, and its own command for every other one",
  async (t) => {
    const record = bopsRecord();
    const page = renderQuantizedReport(record);
    const [head = ""] = page.split("<main");
    for (const text of ["Bit operations", "5.843\u202f%", "activations within the budget too"])
      t.ok(head.includes(text), text);
    t.strictSame(
      cellsOf(page, "plan-table").map(([, weights, activations, bops]) => [weights, activations, bops]),
      [
        ["3 at 4 bits, 1 at 8 bits", "2 at 8 bits, 1 at 16 bits", "5.843\u202f%"],
        ["4 at 4 bits", "3 at 8 bits", "3.1\u202f%"],
        ["4 at 2 bits", "3 at 8 bits", "3.1\u202f%"],
      ],
    );
    const curve = harmCurve(record.plan!.table, record.plan!.plans[0]!);
    t.ok(curve.length > 4);
    t.ok(curve.every(({ budget }) => /^bops:[0-9.]+%$/.test(budget)));
    t.strictSame(
      cellsOf(page, "budget-table").map((cells) => cells.at(-1)),
      curve.map(({ budget }) => `bayesian-bits quantize . --budget ${budget}`),
    );
    t.strictSame(cellsOf(page, "activation-harm-table"), [
      ["images", "8", "2.3e-5", "1.1e-7", "0"],
      ["relu1", "16", "0.00031", "2.2e-6", "0"],
      ["features", "8", "8.4e-6", "0", "0"],
    ]);
    const marks = JSON.parse(/id="plans-data">([^<]*)</.exec(page)![1]!).marks;
    t.match(marks[0].lines, [
      ["found by"],
      ["widths"],
      ["of activations", "2 at 8 bits, 1 at 16 bits"],
      ["relative BOPs", "5.843\u202f%"],
    ]);
    t.match(sectionOf(page, "budget"), "Error against bit operations, by plan");
    t.match(sectionOf(page, "settings"), "within the budget");
    t.equal(found(withoutScript(page), /NaN|undefined|Infinity/), null);
  },
);

t.test("a record without data, budget and bytes gives a page too", async (t) => {
  const page = renderQuantizedReport(plainRecord());
  t.match(page, "There was no data");
  t.equal(found(page, /id="(budget|loss|left|notes)"/), null);
  t.equal(found(withoutScript(page), /NaN|undefined|Infinity/), null);
  t.strictSame(cellsOf(page, "layer-table"), [["conv", "Conv", "8×3×3×3", "8", "channel", "nearest", "float", "–"]]);
});

t.test("a budget without data says that harms know nothing of the network", async (t) => {
  const { plan, ...record } = quantizedRecord();
  const plans = plan!.plans.slice(0, 1).map((one) => ({ ...one, error: null }));
  const page = renderQuantizedReport({
    ...record,
    plan: { ...plan!, table: { ...plan!.table, measured: "weights", samples: 0 }, plans },
  });
  t.match(sectionOf(page, "budget"), "knows nothing of the network");
  t.equal(found(withoutScript(page), /NaN|undefined|Infinity/), null);
});

t.test("hostile names stay text", async (t) => {
  const page = renderQuantizedReport(hostileQuantizedRecord());
  const plain = renderQuantizedReport({ ...lossyRecord(), plan: bopsRecord().plan });
  t.equal(count(page, "<img"), 0);
  t.equal(count(page, "<!--"), 0);
  t.equal(count(page, "</script>"), count(plain, "</script>"));
  t.equal(count(page, "<bdi>"), count(page, "</bdi>"));
  t.equal(found(page, / style="/), null);
  t.ok(page.includes("&lt;img src=x onerror="), "the name is shown");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  t.equal(found(page, /[\u0000-\u0008\u000e-\u001f]|\p{Cs}/u), null, "no character that HTML forbids");
  // Whole in what is copied: CSV and commands, which wrap.
  const shown = page.replace(/ data-value="[^"]*"|<pre class="command"[\s\S]*?<\/pre>/g, "");
  t.ok(!shown.includes(hostileNames.long), "a long name is cut where it is shown");
});

t.test("ids are unique, and what refers to one finds it", async (t) => {
  const page = renderQuantizedReport({ ...lossyRecord(), plan: bopsRecord().plan });
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]!);
  t.equal(new Set(ids).size, ids.length);
  const referred = [...page.matchAll(/(?:href="#|aria-labelledby="|url\(#)([^")]*)/g)].map((match) => match[1]!);
  t.ok(referred.length > 10);
  for (const id of referred) t.ok(ids.includes(id), id);
});
