import { createHash } from "node:crypto";
import { Script } from "node:vm";
import t from "tap";
import { publishedRuns } from "../../../scripts/results/published.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { renderReport } from "../../../src/report/run/render-report.ts";
import type { Sensitivity } from "../../../src/runs/analysis.ts";
import type { RunRecord } from "../../../src/runs/record.ts";
import { hostileNames, hostileRecord } from "../../fixtures/hostile-record.ts";
import { sampleRecord, unfinishedRecord } from "../../fixtures/sample-record.ts";
import { classificationOf } from "../../fixtures/tasks.ts";

const megabyte = 1e6;

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The first place that has the pattern, or null: a failing test then shows the place and not the page. */
const found = (page: string, pattern: RegExp): string | null => pattern.exec(page)?.[0] ?? null;

const withoutScript = (page: string): string => page.replace(/<script>[\s\S]*<\/script>/, "");

/** What stands between the first `<tag…>` of this exact form and its end. */
const contentOf = (page: string, tag: string) => new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? "";

t.test("the same record gives the same bytes", async (t) => {
  t.equal(renderReport(sampleRecord()), renderReport(sampleRecord()));
});

t.test("the page says what was learned", async (t) => {
  const page = renderReport(sampleRecord());
  for (const { id } of sampleRecord().quantizers) {
    t.ok(page.includes(`&quot;${id}&quot;]">`), `${id} is in a row`);
  }
  for (const text of ["99.06\u202f%", "98.85–99.23", "0.359\u202f%", "373 of 608", "−0.09 points", "302 of 512"]) {
    t.ok(page.includes(text), text);
  }
  for (const { sha256 } of sampleRecord().data.files) t.ok(page.includes(sha256), "a data file's checksum");
  t.ok(page.includes("strength: 0.1"), "the configuration is listed");
  t.ok(page.includes("bayesian-bits train config.yaml"), "the command is given");
});

t.test("mu is drawn over the epochs where it was steered, and only there", async (t) => {
  const record = sampleRecord();
  const steered = (mu: (index: number) => number) =>
    renderReport({ ...record, epochs: record.epochs.map((epoch, index) => ({ ...epoch, priorStrength: mu(index) })) });
  t.match(
    found(
      steered((index) => 0.1 * 2 ** -index),
      /id="prior-strength"/,
    ),
    /prior-strength/,
  );
  t.equal(
    found(
      steered(() => 0.1),
      /id="prior-strength"/,
    ),
    null,
  );
  t.equal(found(renderReport(record), /id="prior-strength"/), null, "a method without mu");
});

t.test("the authors' figure stands beside ours where the two differ", async (t) => {
  const record = sampleRecord();
  t.equal(found(renderReport(record), /by the authors’ formula/), null);
  const other = { ...record, result: { ...record.result!, relativeBopsAuthors: 0.512 } };
  t.match(renderReport(other), "0.512\u202f% by the authors’ formula");
});

t.test("a record from before graph, analysis and latency were kept gives a page too", async (t) => {
  const { analysis: _, ...record } = sampleRecord();
  const { graph: __, ...network } = record.network;
  const { latency: ___, ...verification } = record.exports[0]!.verification!;
  const page = renderReport({ ...record, network, exports: [{ ...record.exports[0]!, verification }] });
  t.match(page, "Top-1 with sampled gates");
  t.match(page, "record holds no weights");
  t.equal(found(withoutScript(page), /NaN|undefined|Infinity/), null);
});

t.test("latency stands on the first screen, and is told apart from bit operations", async (t) => {
  const page = renderReport(sampleRecord());
  t.match(
    page,
    /<strong>as fast<\/strong> <span>0\.312\u202fms of 0\.298\u202fms in <bdi>onnxruntime-node 1\.30\.0<\/bdi>, batch of 1\./,
  );
  t.match(page, "Bit operations are not latency");
});

t.test("latency is told with the threads that it was measured with, where the record knows them", async (t) => {
  const record = sampleRecord();
  const column = /<th[^>]*>(<[^>]*>)*Threads/;
  t.equal(found(renderReport(record), column), null);
  const verification = record.exports[0]!.verification!;
  const latency = verification.latency!.map((one) => ({ ...one, threads: 2 }));
  const known = { ...record, exports: [{ ...record.exports[0]!, verification: { ...verification, latency } }] };
  t.match(renderReport(known), column);
  t.match(renderReport(known), "batch of 1, 2 threads. Bit");
});

t.test("the headline is of the file to ship, and a table has every form that was written", async (t) => {
  const record = sampleRecord();
  const one = record.exports[0]!;
  t.equal(found(renderReport(record), /id="forms"/), null, "one file needs no table");
  const verification = {
    ...one.verification!,
    kernels: { integer: 3, float: ["conv1"] },
    latency: [{ batch: 1, threads: 2, medianMs: 0.777, fp32MedianMs: 0.298 }],
  };
  const page = renderReport({
    ...record,
    exports: [{ ...one, form: "int8", file: "model.int8.onnx", bytes: 301_234, verification }, one],
  });
  t.match(page, "<strong>as fast</strong> <span>0.312\u202fms", "the headline");
  t.match(page, "<strong>77.4\u202fkB</strong>");
  t.match(
    page,
    "<strong>Ship <bdi>model.onnx</bdi></strong> (packed). It <bdi>is the fastest: as fast as float32</bdi>.",
  );
  const table = found(page, /<div class="table" id="forms">[\s\S]*?<\/table>/)!;
  for (const text of [
    "model.onnx",
    "model.int8.onnx",
    "301,234",
    "77,412",
    "3 of 4",
    "<strong>packed</strong>, recommended",
    "0.777\u202fms, 2.6 times slower",
    "0.312\u202fms, as fast",
  ]) {
    t.match(table, text);
  }
});

t.test("baselines stand beside the run, with the difference", async (t) => {
  const record = sampleRecord();
  const baseline = {
    ...record,
    name: "float",
    result: { ...record.result!, metrics: { top1: 99.2 }, relativeBops: 100 },
  };
  t.equal(found(renderReport(record), /Against the baselines/), null);
  const page = renderReport(record, { baselines: [baseline, unfinishedRecord()] });
  t.match(page, "Against the baselines");
  t.match(page, "−0.14 points");
});

t.test("a baseline in float32 and a budget are in the headline", async (t) => {
  const record = sampleRecord();
  const float = {
    ...record,
    name: "float",
    config: parseConfig({ ...record.config, method: { name: "fp32" } }),
    result: { ...record.result!, metrics: { top1: 99.2 } },
  };
  t.equal(found(renderReport(record), /Top-1 against float32|<dt>Budget/), null);
  const config = parseConfig({
    ...record.config,
    method: { name: "bayesian-bits", prior: { target: { relativeBops: 0.4 } } },
  });
  const page = renderReport({ ...record, config }, { baselines: [float] });
  t.match(
    page,
    /<dt>Top-1 against float32<\/dt><dd><strong>−0\.14 points<\/strong> <span>95\u202f% interval −0\.4\d to \+0\.1\d points \(Newcombe’s, unpaired\), float32 99\.20/,
  );
  t.match(page, /<dt>Budget<\/dt><dd><strong>met<\/strong> <span>0\.35\d+ of 0\.4/);
  t.match(page, "Its 95\u202f% interval, unpaired");
});

t.test("the authors' bit operations of a layer have a column where they differ", async (t) => {
  const record = sampleRecord();
  const column = /BOPs, authors’ formula/;
  t.equal(found(renderReport(record), column), null);
  const layers = record.result!.layers.map((layer) => ({ ...layer, bopsAuthors: 2 * layer.bops }));
  t.ok(found(renderReport({ ...record, result: { ...record.result!, layers } }), column));
});

t.test("weights that were stretched to a common range are said to be", async (t) => {
  const record = sampleRecord();
  t.equal(found(renderReport(record), /stretched/), null);
  const weights = record.analysis!.weights.map((one) => ({ ...one, ranges: [0.0125, 0.4] as [number, number] }));
  const page = renderReport({ ...record, analysis: { ...record.analysis!, weights } });
  t.match(page, "its weights are drawn stretched: multiplied by the widest channel’s range over its own");
  t.match(page, "largest step");
  t.match(page, "channels’ ranges from 0.0125 to 0.4, drawn stretched to the widest");
  // The quantizer's range is that of a pruned channel, 0.412: of 2 bits a step is a third of the range's width.
  t.match(page, "largest step 0.267");
});

t.test("what float32 gets right and this network wrong, with pictures, most confident first", async (t) => {
  const record = sampleRecord();
  const findings = classificationOf(record.findings);
  const float = findings.float!;
  const shown = (compared: typeof float | undefined, more: Partial<RunRecord> = {}) =>
    withoutScript(renderReport({ ...record, ...more, findings: { ...findings, float: compared } }));
  const heading = /What float32 gets right and this network wrong/;
  const page = shown(float);
  t.match(
    page,
    "In float32, as training began, the network gets 9,915 test images right: of these it now gets 30 wrong; below are the 24 of which it is surest. Of the 85 that it got wrong, it now gets 21 right.",
  );
  const first = page.slice(page.search(heading)).match(/<li>[\s\S]*?<\/li>/)![0];
  for (const text of [
    'alt="Test image 7: 0, taken for 3"',
    "float32: <bdi>0</bdi>, 60.0\u202f% sure",
    "now 99.0\u202f% sure",
    "image 7",
  ]) {
    t.ok(first.includes(text), text);
  }
  const none = { ...float, bothRight: 9915, lost: 0, images: [] };
  t.match(shown(none), /of these it now gets none wrong/);
  t.equal(found(shown(undefined), heading), null, "older records have none");
  const pretrain = { epochs: 2, weights: record.config.training.weights };
  const training = { ...record.config.training, pretrain };
  t.match(shown(float, { config: { ...record.config, training } }), /In float32, after pretraining, the network/);
});

t.test("the page loads nothing, and its policy allows only its own style and script", async (t) => {
  const page = renderReport(sampleRecord());
  const policy =
    /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? "";
  t.match(policy, "default-src 'none'");
  t.notMatch(policy, "unsafe");
  t.match(policy, `style-src ${hashOf(contentOf(page, "style"))};`);
  t.match(policy, `script-src ${hashOf(contentOf(page, "script"))};`);
  t.equal(found(page, / style="/), null, "the policy would refuse style attributes");
  t.equal(found(page, / on\w+="/), null, "the policy would refuse event attributes");
  const addresses = [...page.matchAll(/(?:src|href|action|data|poster)="([^"#][^"]*)"/g)].map((match) => match[1]);
  const pictures = addresses.filter((address) => /^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/.test(address!));
  const { worst, float } = classificationOf(sampleRecord().findings);
  t.equal(pictures.length, worst!.length + float!.images.length);
  const record = sampleRecord();
  const findings = classificationOf(record.findings);
  const bare = renderReport({
    ...record,
    findings: { ...findings, worst: [], float: { ...findings.float!, images: [] } },
  });
  t.notMatch(bare, /classified wrongly\.|below are the 0/, "no pictures are no proof that nothing was wrong");
  t.strictSame(
    addresses.filter((address) => !pictures.includes(address)),
    ["data:,"],
  );
  t.equal(found(page, /url\((?!#)|@import/), null);
  t.strictSame(
    [...page.matchAll(/https?:\/\/[^"\s]*/g)].map(String),
    ["http://www.w3.org/2000/svg"],
    "a name, not an address",
  );
});

t.test("the page's script is valid JavaScript", async (t) => {
  t.doesNotThrow(() => new Script(contentOf(renderReport(sampleRecord()), "script")));
});

t.test("ids are unique, and what refers to one finds it", async (t) => {
  const page = renderReport(sampleRecord());
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]!);
  t.equal(new Set(ids).size, ids.length);
  const referred = [...page.matchAll(/(?:href="#|aria-labelledby="|url\(#)([^")]*)/g)].map((match) => match[1]!);
  t.ok(referred.length > 10);
  for (const id of referred) t.ok(ids.includes(id), id);
});

t.test("hostile names stay text", async (t) => {
  const page = renderReport(hostileRecord());
  const plain = renderReport(sampleRecord());
  t.equal(count(page, "<img"), count(plain, "<img"));
  t.equal(count(page, "<!--"), 0);
  t.equal(count(page, "</script>"), count(plain, "</script>"));
  t.equal(count(page, "<bdi>"), count(page, "</bdi>"));
  t.equal(found(page, / style="/), null);
  t.equal(found(page, /[\u202a-\u202e\u2066-\u2069]/), null, "nothing that turns the text after it");
  t.ok(page.includes("&lt;img src=x onerror="), "the name is shown");
  t.ok(page.includes("\\u003c/script\\u003e"), "and escaped in data");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  t.equal(found(page, /[\u0000-\u0008\u000e-\u001f]|\p{Cs}/u), null, "no character that HTML forbids");
  // Whole in what is copied (CSV, configuration), which scrolls by itself.
  const shown = page.replace(/ data-value="[^"]*"|<pre class="listing"[\s\S]*?<\/pre>/g, "");
  t.ok(!shown.includes(hostileNames.long), "a long name is cut where it is shown");
});

t.test("a run without a result gives a page with what there is", async (t) => {
  const page = renderReport(unfinishedRecord());
  t.match(page, "This run has not finished. The figures are those after epoch 2 of 6.");
  t.match(page, "98.21\u202f%");
  t.match(page, 'id="loss"');
  t.match(page, "No network has been exported");
  t.match(page, "The weights are counted when the run ends");
  const { config, ...rest } = unfinishedRecord();
  const { pretrain, finetune } = parseConfig({
    ...config,
    training: { ...config.training, pretrain: { epochs: 1 }, finetune: { epochs: 3 } },
  }).training;
  const phased = renderReport({ ...rest, config: { ...config, training: { ...config.training, pretrain, finetune } } });
  t.match(phased, "after epoch 2 of 10.", "with pretraining and fine-tuning");
  const stopped = renderReport({ ...unfinishedRecord(), status: "stopped" });
  t.match(stopped, "can be resumed");
});

t.test("a run before its first epoch gives a page too", async (t) => {
  const page = renderReport(unfinishedRecord({ epochs: 0 }));
  t.match(page, "No epoch is finished yet");
  t.match(page, "conv1.weight.quantizer");
  t.equal(found(withoutScript(page), /NaN|undefined|Infinity/), null);
});

t.test("no figure is NaN or undefined", async (t) => {
  for (const record of [sampleRecord(), unfinishedRecord(), unfinishedRecord({ epochs: 1 })]) {
    t.equal(found(withoutScript(renderReport(record)), /NaN|undefined|Infinity/), null);
  }
});

t.test("LeNet-5's report stays below 2.5 MB, also after 100 epochs", async (t) => {
  const record = sampleRecord();
  t.ok(renderReport(record).length < 0.5 * megabyte);
  const epochs = Array.from({ length: 100 }, (_, index) => ({ ...record.epochs[index % 6]!, epoch: index + 1 }));
  t.ok(renderReport({ ...record, epochs }).length < 2.5 * megabyte);
});

const count = (text: string, part: string): number => text.split(part).length - 1;

t.test("the report of a run that quantizes nothing counts its input in float32", async (t) => {
  const record = publishedRuns().find(({ record }) => record.quantizers.length === 0)?.record;
  t.match(renderReport(record ?? sampleRecord()), "The network’s input counts as 32 bits");
  t.match(renderReport(sampleRecord()), "The network’s input counts as 8 bits");
});

/** What a reader sees, without the configuration. */
const readText = (page: string): string =>
  page.replace(/<(script|style|pre)[\s\S]*?<\/\1>/g, "").replace(/<[^>]*>/g, " ");

t.test("a run that learns no gates speaks of none, and calls no width learned", async (t) => {
  const ofGates = /[^.]{0,40}(\b[Gg]ates?\b|[Ll]earned (bit-)?widths?|learned network|[Cc]omplexity term)/;
  const others = publishedRuns().filter(({ record }) => record.config.method.name !== "bayesian-bits");
  const byMethod = new Map(others.map(({ record }) => [record.config.method.name, record]));
  t.ok(byMethod.size >= 5, [...byMethod.keys()].join(", "));
  for (const [method, record] of byMethod) {
    t.equal(found(readText(renderReport(record)), ofGates), null, method);
    t.equal(found(readText(renderReport({ ...record, exports: [] })), ofGates), null, `${method}, without latency`);
  }
  const page = readText(renderReport(sampleRecord()));
  for (const text of ["Learned bit-widths", "training, sampled gates", "gates sampled as in training"])
    t.match(page, text);
});

t.test("layers keep names of their own in charts and in the graph", async (t) => {
  const resnet = publishedRuns().find(({ record }) => record.network.name === "resnet20")!.record;
  const page = renderReport(resnet);
  for (const [id, size] of [
    ["bops-share", 20],
    ["bytes-share", 20],
  ] as const) {
    const figure = new RegExp(`<figure class="chart" id="${id}"[\\s\\S]*?</figure>`).exec(page)![0];
    for (const drawing of figure.match(/<svg class="(wide|narrow)"[\s\S]*?<\/svg>/g)!) {
      const names = [...drawing.matchAll(/text-anchor="end"[^>]*>([^<]*)</g)].map(([, name]) => name);
      t.equal(new Set(names).size, size, names.join(" "));
    }
  }
  const graph = /<svg class="wide"[^>]*aria-label="The network as a graph[\s\S]*?<\/svg>/.exec(page)![0];
  const names = [...graph.matchAll(/font-weight="650" fill="var\(--ink\)">([^<]*)</g)].map(([, name]) => name);
  t.equal(names.length, 20);
  t.equal(new Set(names).size, 20, names.join(" "));
});

const withSensitivity = (change: (sensitivity: Sensitivity) => Sensitivity) => {
  const record = sampleRecord();
  const { analysis } = record;
  return { ...record, analysis: { ...analysis!, sensitivity: change(analysis!.sensitivity!) } };
};

t.test(
  "what other bits would give: certain gains with their cost, and what fewer would save for nothing",
  async (t) => {
    const section = (record: RunRecord) =>
      /<section id="sensitivity"[\s\S]*?<\/section>/.exec(renderReport(record))![0];
    const page = section(sampleRecord());
    const text = page.replace(/<[^>]*>/g, "");
    t.match(text, "Give the weight of conv2 8 bits: +0.21 points (± 0.05) for 19.2\u202fkB and ");
    t.equal(text.split("Give the ").length, 2, "0.04 at an error of 0.05 is no gain");
    t.notMatch(text, "would save", "0.35 points are a loss");
    t.match(text, "Top-1 of 2,000 images held out of training: 98.90\u202f%");
    const order = Array.from(page.matchAll(/<th scope="row" data-value="([^"]*)"/g), ([, name]) => name);
    t.strictSame(order.slice(0, 3), ["output of fc1", "weight of fc2", "weight of conv2"], "what matters most");
    t.match(page, /data-value="11"[^>]*>11\.0</, "signal-to-noise");
    const uncertain = withSensitivity((sensitivity) => ({
      ...sensitivity,
      from: "train",
      tensors: sensitivity.tensors.map((tensor) => ({
        ...tensor,
        choices: tensor.choices.map((choice) => ({ ...choice, error: 0.4 })),
      })),
    }));
    const vague = section(uncertain).replace(/<[^>]*>/g, "");
    t.match(vague, "More bits for one tensor give nothing that these images can tell");
    t.match(vague, "With 4 bits the weight of fc2 would save 1.28\u202fkB and ");
    t.match(vague, "that were trained on, because none are held out (data.validationShare)");
  },
);

t.test("records without sensitivity have no such section; tensors without other widths have dashes", async (t) => {
  const record = sampleRecord();
  const { sensitivity: _, ...analysis } = record.analysis!;
  t.notOk(renderReport({ ...record, analysis }).includes('id="sensitivity"'));
  const page = renderReport(
    withSensitivity((sensitivity) => ({
      ...sensitivity,
      tensors: sensitivity.tensors.map((tensor) => ({ ...tensor, signalToNoise: null, choices: [] })),
    })),
  );
  t.match(page, 'id="sensitivity-table"');
  t.notOk(page.includes('id="sensitivities"'), "nothing to draw");
});

t.test("settings with another value than their default are marked in the configuration", async (t) => {
  const { config, ...record } = sampleRecord();
  const listing = (settings: typeof config) =>
    found(renderReport({ ...record, config: settings }), /<pre class="listing"[\s\S]*?<\/pre>/)!;
  const marked = (text: string) => [...text.matchAll(/<mark>([^<]*)<\/mark>/g)].map(([, line]) => line);
  t.strictSame(marked(listing(config)), []);
  const changed = parseConfig({ ...config, data: { ...config.data, batchSize: 77 }, seed: 5 });
  t.strictSame(marked(listing(changed)), ["seed: 5", "batchSize: 77"]);
  t.match(listing(changed), "\n  <mark>batchSize: 77</mark>\n", "where it stands");
});

t.test("curves have a border where a phase begins, and only there", async (t) => {
  const record = sampleRecord();
  const lines = (phases: readonly ("pretraining" | "training" | "fine-tuning")[]) => {
    const epochs = record.epochs.map((epoch, index) => ({ ...epoch, phase: phases[index]! }));
    const figure = found(renderReport({ ...record, epochs }), /<figure class="chart" id="loss"[\s\S]*?<\/figure>/)!;
    return count(/<svg class="wide"[\s\S]*?<\/svg>/.exec(figure)![0], 'stroke-dasharray="3,3"');
  };
  t.equal(lines(["training", "training", "training", "training", "training", "training"]), 0);
  t.equal(lines(["pretraining", "pretraining", "training", "training", "training", "fine-tuning"]), 2);
});
