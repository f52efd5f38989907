import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { loadQuantize } from "../../src/config/load-quantize.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { quantizedBitsSchema } from "../../src/ptq/quantized-bits.ts";
import { quantizedFile, quantizedRecordSchema } from "../../src/ptq/quantized-record.ts";
import { progressFile } from "../../src/runner/quantize-progress.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";
import { run, start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { sampleArray } from "../fixtures/ptq.ts";

const folder = t.testdir();
const model = join(folder, "cnn.onnx");
writeFileSync(model, bytesOf("pytorch-cnn-legacy"));
const samples = join(folder, "samples.npz");
const floatsOf = (shape: readonly number[]) =>
  npz({ images: npy("<f4", shape, new Uint8Array(sampleArray("images", shape).data.buffer)) });
writeFileSync(samples, floatsOf([40, 1, 28, 28]));

t.test("weights alone, without any data", async (t) => {
  const out = join(folder, "weights");
  const { code, stdout, stderr } = await run("quantize", model, "--out", out, "--json");
  t.equal(code, 0, stderr);
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!);
  t.match(result, { run: out, agreement: null, sqnrDb: null, top1: null, verified: false });
  t.equal(result.layers.quantized, result.layers.of);
  t.ok(result.bytes.after < 0.45 * result.bytes.before, JSON.stringify(result.bytes));
  t.equal(readFileSync(join(out, "model.onnx")).length, result.bytes.after);
});

t.test("weights and activations, compared on samples that calibration did not see", async (t) => {
  const out = join(folder, "both");
  const { code, stdout, stderr } = await runHere("quantize", model, "--data", samples, "--out", out, "--json");
  t.equal(code, 0, stderr);
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!);
  t.ok(result.verified);
  t.ok(result.sqnrDb > 20, `${result.sqnrDb} dB`);
  const record = quantizedRecordSchema.parse(JSON.parse(readFileSync(join(out, quantizedFile), "utf8")));
  t.equal(record.calibrated + record.comparison!.samples, 40);
  t.ok(record.layers.every(({ integer }) => integer));
  t.strictSame(record.kernels, { integer: record.layers.length, float: [] });
  for (const { name, sqnrDb } of record.layers) t.ok(sqnrDb !== null && sqnrDb > 15, `${name}: ${sqnrDb} dB`);
  await using session = await FileSession.load(join(out, "model.onnx"), "model.onnx");
  t.strictSame(
    session.inputs.map(({ name }) => name),
    ["images"],
  );
  t.strictSame(
    session.outputs.map(({ name }) => name),
    ["logits"],
  );
  const bits = quantizedBitsSchema.parse(JSON.parse(readFileSync(join(out, "bits.json"), "utf8")));
  t.strictSame(
    bits.tensors.filter(({ role }) => role === "activation").map(({ name }) => name),
    record.activations.map(({ name }) => name),
  );
  t.match(readFileSync(join(out, "report.html"), "utf8"), /^<!DOCTYPE html>[\s\S]*cnn\.onnx/);
  const verification = await runHere("verify", out, "--json");
  t.match(JSON.parse(verification.stdout), {
    hashed: true,
    files: [{ path: quantizedFile }, { path: "model.onnx", state: "whole" }, { path: "bits.json", state: "whole" }],
  });
  const again = await runHere("quantize", model, "--data", samples, "--out", out);
  t.equal(again.code, 2, "a folder with a result is not overwritten unasked");
});

t.test("a folder of images, and the data of a configuration; top-1 where there are classes", async (t) => {
  const pictures = await writeImageFolder(join(folder, "pictures"), { parts: { train: 2, val: 1 }, classes: 3 });
  const out = join(folder, "of-pictures");
  const { code, stdout, stderr } = await runHere("quantize", model, "--data", pictures, "--out", out);
  t.equal(code, 0, stderr);
  t.match(stdout, /logits: .* dB.*, top-1 [0-9.]+ % \(before: [0-9.]+ %\) \(3 samples that calibration did not see\)/);
  const config = loadQuantize(join(out, "quantize.yaml"));
  t.match(config, { data: { folder: pictures, size: [28, 28], channels: 1 }, bits: { activations: 8 } });
  const file = join(folder, "of-pictures.yaml");
  writeFileSync(file, `data: { name: folder, folder: ${pictures}, size: 28, channels: 1, limit: { test: 2 } }\n`);
  const again = await runHere("quantize", model, "--data", file, "--out", join(folder, "of-config"), "--json");
  t.equal(again.code, 0, again.stderr);
  const result = JSON.parse(again.stdout);
  t.ok([0, 50, 100].includes(result.top1) && [0, 50, 100].includes(result.top1Float), again.stdout);
  t.match(again.stderr, /pixels are given from 0 to 1, less 0\.449, over 0\.226, as is usual for these images/);
});

t.test("the configuration in the folder gives the same bytes", async (t) => {
  const from = join(folder, "both");
  const out = join(folder, "again");
  const { code, stderr } = await runHere("quantize", join(from, "quantize.yaml"), "--out", out);
  t.equal(code, 0, stderr);
  for (const name of ["model.onnx", "quantize.yaml"]) {
    t.same(readFileSync(join(out, name)), readFileSync(join(from, name)), name);
  }
  const coarse = join(folder, "coarse-again");
  const set = await runHere(
    "quantize",
    join(from, "quantize.yaml"),
    "--set",
    "bits.weights=4",
    "--out",
    coarse,
    "--json",
  );
  t.equal(set.code, 0, set.stderr);
  const record = quantizedRecordSchema.parse(JSON.parse(readFileSync(join(coarse, quantizedFile), "utf8")));
  t.strictSame([...new Set(record.layers.map(({ bits }) => bits))], [4]);
  const beside = await runHere("quantize", join(from, "quantize.yaml"), "--weights", "4");
  t.equal(beside.code, 2);
  t.match(beside.stderr, /is a configuration, which says what is wanted: expected of options only --set/);
});

t.test("layers are solved one after the other, some with bits of their own", async (t) => {
  const out = join(folder, "solved");
  const args = ["--data", samples, "--weights", "3", "--layer-bits", "*conv*=8", "--method", "bit-split"];
  const { code, stdout, stderr } = await runHere("quantize", model, ...args, "--out", out, "--json");
  t.equal(code, 0, stderr);
  t.ok(JSON.parse(stdout.trim().split("\n").at(-1)!).verified);
  const record = quantizedRecordSchema.parse(JSON.parse(readFileSync(join(out, quantizedFile), "utf8")));
  t.match(record.settings, { method: { name: "bit-split" }, bits: { layers: { "*conv*": 8 } } });
  for (const { name, bits, method } of record.layers)
    t.strictSame([bits, method], [/conv/.test(name) ? 8 : 3, "bit-split"]);
});

t.test("within a budget, and then within another, by what was measured for the first", async (t) => {
  const out = join(folder, "budget");
  const first = await runHere(
    "quantize",
    model,
    "--data",
    samples,
    "--budget",
    "25%",
    "--method",
    "nearest",
    "--out",
    out,
  );
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /budget {5}25%: .* of 2 bits, .* of 4 bits, .* of 8 bits; weights take [0-9.]+ % of float32/);
  const measured = quantizedRecordSchema.parse(JSON.parse(readFileSync(join(out, quantizedFile), "utf8"))).plan!;
  t.match(readFileSync(join(out, "report.html"), "utf8"), "bayesian-bits quantize . --budget 25%");
  const again = await runHere("quantize", out, "--budget", "avg:4");
  t.equal(again.code, 0, again.stderr);
  const folderOfAgain = `${out}-avg4`;
  const { plan, settings } = quantizedRecordSchema.parse(
    JSON.parse(readFileSync(join(folderOfAgain, quantizedFile), "utf8")),
  );
  t.strictSame(plan?.table, measured.table);
  t.equal(plan?.budget, "avg:4");
  t.match(settings, { method: { name: "nearest" }, bits: { measured: out } });
  const numbers = plan!.table.weights.reduce((sum, weight) => sum + weight.numbers, 0);
  t.ok(plan!.plans[0]!.bytes <= numbers / 2);
  const other = await runHere("quantize", out, "--weights", "4");
  t.equal(other.code, 2);
  t.match(other.stderr, /is the folder of a quantized file: expected --budget/);
  const data = readFileSync(samples);
  writeFileSync(samples, floatsOf([41, 1, 28, 28]));
  const changed = await runHere("quantize", out, "--budget", "avg:3");
  writeFileSync(samples, data);
  t.equal(changed.code, 1);
  t.match(changed.stderr, /samples\.npz: is not the file any more that .* was made from/);
});

t.test("within a budget of bit operations, and then within another", async (t) => {
  const out = join(folder, "bops");
  const args = ["--data", samples, "--budget", "bops:3%", "--method", "nearest", "--out", out];
  const first = await runHere("quantize", model, ...args);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stderr, /weights within bops:3% \(nearest\), activations within it too/);
  t.match(
    first.stdout,
    /budget {5}bops:3%: .* of 8 bits; weights take [0-9.]+ % of float32; activations: [1-4] of 8 bits.*; 2\.[0-9]+ % of the bit operations at 32 bits/,
  );
  t.match(readFileSync(join(out, "report.html"), "utf8"), "bayesian-bits quantize . --budget bops:2%");
  const again = await runHere("quantize", out, "--budget", "bops:2%", "--json");
  t.equal(again.code, 0, again.stderr);
  const { run: folderOfAgain, relativeBops } = JSON.parse(again.stdout);
  t.equal(folderOfAgain, `${out}-bops2pc`);
  t.ok(relativeBops > 1 && relativeBops <= 2, again.stdout);
});

t.test("what is below the thresholds is refused where that is asked for, with what to do", async (t) => {
  const out = join(folder, "coarse");
  const args = ["--data", samples, "--weights", "2", "--method", "nearest", "--min-sqnr", "120", "--out", out];
  const { code, stderr } = await runHere("quantize", model, ...args);
  t.equal(code, 1);
  t.match(
    stderr,
    /"logits" has [0-9.-]+ dB \(120 dB wanted\).*these cost most: .*--layer-bits '.*=8'.*nothing was written/,
  );
  t.notOk(existsSync(join(out, "model.onnx")));
});

t.test("the layout of transformers.js: names of its loaders, a record for each width", async (t) => {
  const source = join(folder, "source");
  mkdirSync(join(source, "onnx"), { recursive: true });
  cpSync(model, join(source, "onnx", "encoder_model.onnx"));
  writeFileSync(join(source, "config.json"), "{}");
  writeFileSync(join(source, "tokenizer.json"), "{}");
  for (const name of ["notes.md", "package.json", "quantized.model.json"]) writeFileSync(join(source, name), "{}");
  const out = join(folder, "web");
  for (const weights of ["8", "4"]) {
    const args = [join(source, "onnx", "encoder_model.onnx"), "--layout", "transformers.js"];
    const { code, stdout, stderr } = await runHere("quantize", ...args, "--weights", weights, "--out", out);
    t.equal(code, 0, stderr);
    if (weights === "4") t.match(stdout, join(out, "onnx", "encoder_model_q4.onnx"));
  }
  t.strictSame(
    readdirSync(out)
      .filter((name) => !name.startsWith("."))
      .sort(),
    [
      ...["bits.encoder_model_q4.json", "bits.encoder_model_quantized.json", "config.json", "onnx"],
      ...["quantize.encoder_model_q4.yaml", "quantize.encoder_model_quantized.yaml"],
      ...["quantized.encoder_model_q4.json", "quantized.encoder_model_quantized.json"],
      ...["report.encoder_model_q4.html", "report.encoder_model_quantized.html", "tokenizer.json"],
    ],
  );
  t.strictSame(readdirSync(join(out, "onnx")).sort(), ["encoder_model_q4.onnx", "encoder_model_quantized.onnx"]);
});

t.test("the file itself is never overwritten, and a model that is there only with --force", async (t) => {
  const source = join(folder, "own");
  mkdirSync(source);
  const own = join(source, "model.onnx");
  cpSync(model, own);
  const before = readFileSync(own);
  const { code, stderr } = await runHere("quantize", own, "--out", source, "--force");
  t.equal(code, 2);
  t.match(stderr, /model\.onnx is the file itself, which stays: choose another folder with --out/);
  t.same(readFileSync(own), before);
  const other = await runHere("quantize", model, "--out", source);
  t.equal(other.code, 2);
  t.match(other.stderr, /holds model\.onnx already: replace it with --force/);
});

t.test("patterns that fit no layer are told, with the layers' names", async (t) => {
  const args = ["--layer-bits", "nothere*=8", "--skip", "typo", "--out", join(folder, "patterns")];
  const { code, stderr } = await runHere("quantize", model, ...args);
  t.equal(code, 0, stderr);
  t.match(stderr, /no layer fits "typo"; layers are .*Conv/);
  t.match(stderr, /no layer fits "nothere\*"/);
});

const refusals: Readonly<Record<string, readonly [code: number, args: readonly string[], message: RegExp]>> = {
  "activations without data": [
    2,
    ["--activations", "8"],
    /activations are calibrated on samples; give some with --data/,
  ],
  "data that is not there": [1, ["--data", join(folder, "none.npz")], /cannot read .*none\.npz/],
};
for (const [what, [expected, args, message]] of Object.entries(refusals)) {
  t.test(`${what} is refused, and nothing is left`, async (t) => {
    const out = join(t.testdir(), "refused");
    const { code, stderr } = await runHere("quantize", model, ...args, "--out", out);
    t.equal(code, expected, stderr);
    t.match(stderr, message);
    t.strictSame(existsSync(out) ? readdirSync(out) : [], []);
  });
}

t.test("samples of another shape are refused with what the file says and what was given", async (t) => {
  const wrong = join(folder, "wrong.npz");
  writeFileSync(wrong, floatsOf([4, 3, 28, 28]));
  const { code, stderr } = await runHere("quantize", model, "--data", wrong, "--out", join(folder, "wrong"));
  t.equal(code, 2);
  t.match(stderr, /the input "images" \(float32 \[.*,1,28,28\]\) got an array of \[4,3,28,28\]/);
});

t.test("killed and resumed, the file has the same bytes; without --resume it is refused", async (t) => {
  const options = ["--data", samples, "--weights", "4", "--method", "adaround", "--iterations", "150"];
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  const expected = await runHere("quantize", model, ...options, "--out", whole);
  t.equal(expected.code, 0, expected.stderr);
  t.notOk(existsSync(join(whole, progressFile)));
  // What it takes the place of stays until it is whole.
  const old = await runHere("quantize", model, "--out", killed);
  t.equal(old.code, 0, old.stderr);
  const { child, ended } = start(["quantize", model, ...options, "--out", killed, "--force"]);
  const linesOf = () => {
    const path = join(killed, progressFile);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
  };
  // The first line says what it is of, each other has a layer.
  while (linesOf() < 2 && child.exitCode === null) await sleep(5);
  child.kill("SIGKILL");
  t.equal((await ended).signal, "SIGKILL");
  t.equal((await runHere("verify", killed)).code, 0, "the old one is whole");
  const refused = await runHere("quantize", model, ...options, "--out", killed);
  t.equal(refused.code, 2);
  t.match(refused.stderr, /holds a run that was stopped: go on with --resume, or begin anew with --force/);
  const asked = start(["quantize", model, ...options, "--out", killed, "--resume"]);
  const before = linesOf();
  while (linesOf() <= before && asked.child.exitCode === null) await sleep(5);
  asked.child.kill("SIGINT");
  const stopped = await asked.ended;
  t.equal(stopped.code, 130, stopped.stderr);
  t.match(stopped.stderr, /stopped by SIGINT after saving: continue with --resume/);
  const resumed = await runHere("quantize", model, ...options, "--out", killed, "--resume");
  t.equal(resumed.code, 0, resumed.stderr);
  t.match(resumed.stderr, /[1-3] layers and measurements are known already/);
  for (const name of ["model.onnx", "bits.json"]) {
    t.strictSame(readFileSync(join(killed, name)), readFileSync(join(whole, name)), name);
  }
  t.notOk(existsSync(join(killed, progressFile)));
});
