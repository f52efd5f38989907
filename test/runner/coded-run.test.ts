import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { tokenizerSchema } from "../../src/data/text/tokenizer.ts";
import { bitsSchema } from "../../src/export/bits-file.ts";
import { renderReport } from "../../src/report/run/render-report.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";

const root = t.testdir();
const words = ["red", "green", "blue", "cat", "dog", "fish", "runs", "sleeps"] as const;
/** Of two classes, by the words that stand in a text. */
const rows = (count: number, from: number) =>
  Array.from({ length: count }, (_, row) => {
    const own = Array.from({ length: 3 }, (_, at) => words[(row * 3 + at * 5 + from) % words.length]);
    return `${own.includes("cat") ? "animal" : "colour"}\t${own.join(" ")}`;
  });
for (const [part, count] of [
  ["train", 40],
  ["test", 12],
] as const) {
  writeFileSync(join(root, `${part}.tsv`), ["label\ttext", ...rows(count, part === "test" ? 1 : 0)].join("\n"));
}

const settings = (method: RunSettings["method"]): RunSettings => ({
  name: "texts",
  data: { name: "text", folder: root, batchSize: 16, maxTokens: 6, vocabulary: { minimum: 1 } },
  network: { name: "text-classifier", dimension: 8, hidden: 6 },
  method,
  training: { epochs: 2 },
  export: { latency: false },
});

const coded = settings({ name: "dpq", codewords: 4, groups: 4 });

t.test("codes are learned, frozen, exported as small as counted, and told", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "coded");
  const record = await train(coded, { folder });
  const [embedding] = record.result!.coded!;
  // 10 tokens with 4 codes of 2 bits each, and 4 groups of 4 codewords of 2 numbers.
  t.match(embedding, { vocabulary: 10, codeBytes: 10, valueBytes: 128, countedBits: 10 * 8 + 8 * 128, fp32Bytes: 320 });
  const [exported] = record.exports;
  t.ok(exported!.verification, "verified in onnxruntime");
  const { distinct, entropy, neighbours } = record.analysis!.codes![0]!;
  t.ok(distinct <= 10 && entropy.length === 4);
  t.ok(neighbours.length === 0, "ten tokens have no hundredth");
  const { tensors } = bitsSchema.parse(JSON.parse(readFileSync(runFiles(folder).bits, "utf8")));
  t.match(
    tensors.find(({ coded }) => coded),
    {
      ...{ name: "embedding.weight", bits: 32, shape: [10, 8], scale: null },
      coded: { codewords: 4, codeBits: 2, codes: [10, 4], tables: 4 },
    },
  );
  const vocabulary = tokenizerSchema.parse(JSON.parse(readFileSync(runFiles(folder).vocabulary, "utf8")));
  t.equal(vocabulary.tokens.length, 10);
  const { metrics } = await evaluateRun(folder);
  t.strictSame(metrics, record.result!.metrics, "the checkpoint has the codes");
  t.match(renderReport(record), /Embeddings as codes/);
});

t.test("a run that is stopped comes to the same codes", { timeout: 120_000 }, async (t) => {
  const folder = join(root, "stopped");
  const stop = new AbortController();
  const onRecord: TrainOptions["onRecord"] = ({ epochs }) => {
    if (epochs.length === 1) stop.abort("SIGTERM");
  };
  await t.rejects(train(coded, { folder, stop: stop.signal, onRecord }), { name: "StoppedError" });
  const record = await train(coded, { folder, resume: true });
  t.equal(record.status, "finished");
  for (const file of ["model", "bits", "checkpoint"] as const) {
    const [one, other] = ["coded", "stopped"].map((name) => readFileSync(runFiles(join(root, name))[file]));
    if (file !== "checkpoint") t.ok(one!.equals(other!), file);
  }
});

for (const [name, method] of Object.entries({
  "vq, shared": { name: "dpq", variant: "vq", codewords: 20, groups: 2, shared: true, batchNorm: "group" },
  "2 bits": { name: "fixed", layers: "embeddings", weights: 2 },
  "all layers at 8 bits": { name: "fixed" },
} satisfies Readonly<Record<string, RunSettings["method"]>>)) {
  t.test(`texts are trained on and exported: ${name}`, { timeout: 120_000 }, async (t) => {
    const folder = join(root, name);
    const { exports } = await train(settings(method), { folder });
    t.ok(exports[0]!.verification);
    const said = readFileSync(runFiles(folder).report, "utf8").replace(/<(script|style)[\s\S]*?<\/\1>/g, "");
    t.match(said, /\d+ texts/);
    t.strictSame(said.match(/\d+ (test )?images.{0,60}/g), null, "there are none");
  });
}

t.test("what does not fit is refused before anything is trained", async (t) => {
  const refused = (changed: Partial<RunSettings>) => train({ ...coded, ...changed }, { folder: join(root, "refused") });
  await t.rejects(refused({ method: { name: "dpq", groups: 3 } }), {
    name: "UsageError",
    message: "method.groups: expected a divisor of the 8 units of embedding (1, 2, 4, 8), got 3",
  });
  await t.rejects(refused({ network: { name: "lenet5" } }), { message: /^network\.name: lenet5 takes images/ });
  await t.rejects(refused({ method: { name: "nearest" }, training: { from: join(root, "coded") } }), {
    name: "UsageError",
  });
});
