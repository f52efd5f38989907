import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import { readModel } from "../../src/export/onnx/read-model.ts";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { initializer, unpackCodes } from "../fixtures/onnx-values.ts";
import { run, start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { classificationOf, sameClassOf } from "../fixtures/tasks.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 160, test: 60 });
const float = join(folder, "float");

function configured(name: string, method: string, training: string, network = `file: ${pathOf("keras-cnn")}`): string {
  const path = join(folder, `${name}.yaml`);
  const text = `name: ${name}
data: { name: mnist, folder: ${JSON.stringify(data)}, batchSize: 16 }
network: { ${network} }
method: ${method}
training: ${training}
export: { form: packed, latency: false }
`;
  writeFileSync(path, text);
  return path;
}

/** Percent of the test images. */
const share = (images: number): number => (100 * images) / 60;

const calibration = "calibration: { images: 48, positions: 8 }";
const methods = {
  nearest: `{ name: nearest, bits: { weights: 3 }, ${calibration}, biasCorrection: true }`,
  // With the bit-widths of another run.
  adaround: `{ name: adaround, bits: { from: ${join(folder, "nearest")} }, ${calibration}, iterations: 150, learningRate: 0.03 }`,
  "bit-split": `{ name: bit-split, bits: { weights: 3 }, ${calibration}, epochs: 10 }`,
} as const;

async function quantized(t: Test, name: string, method: string): Promise<RunRecord> {
  const out = join(folder, name);
  const { code, stderr } = await runHere(
    "train",
    configured(name, method, `{ from: ${float} }`),
    "--out",
    out,
    "--json",
  );
  t.equal(code, 0, stderr);
  return readRecord(out);
}

/** The checkpoint's weights are the file's codes times its steps, to the last bit. */
function decodesToCheckpoint(t: Test, out: string, record: RunRecord): void {
  const { tensors } = readCheckpoint(runFiles(out).checkpoint);
  const file = runFiles(out).model;
  const model = readModel(readFileSync(file), file);
  for (const { name, kind, weightShape } of record.network.layers) {
    const stored = initializer(model, `${name}.weight.codes`);
    const steps = new Float32Array(initializer(model, `${name}.weight.scale`).bytes.buffer);
    const hard = tensors.get(`parameter/${name}.weight`)?.values ?? new Float32Array();
    const outputs = weightShape.at(-1)!;
    const rows = hard.length / outputs;
    const codes = unpackCodes(stored.bytes, 4, hard.length);
    const decoded = Float32Array.from(
      codes,
      (code, at) => steps[steps.length === 1 ? 0 : Math.floor(at / rows)]! * code,
    );
    // [out, in, kernel] in the file, [kernel, in, out] in the graph; a dense layer's inputs are in another order behind
    // a flattened image, so of those each output's values are compared as a set.
    const byOutput = (values: Float32Array, at: (output: number, row: number) => number, output: number) => {
      const picked = Float32Array.from({ length: rows }, (_, row) => values[at(output, row)]!);
      return kind === "dense" ? picked.toSorted() : picked;
    };
    const inputs = kind === "dense" ? 1 : weightShape.at(-2)!;
    const taps = rows / inputs;
    const graphRow = (row: number) => (row % taps) * inputs + Math.floor(row / taps);
    for (let output = 0; output < outputs; output++) {
      const written = byOutput(decoded, (o, row) => o * rows + row, output);
      const evaluated = byOutput(hard as Float32Array, (o, row) => graphRow(row) * outputs + o, output);
      t.strictSame(
        written.map((v) => v + 0),
        evaluated.map((v) => v + 0),
        `${name}, output ${output}`,
      );
    }
  }
}

t.test("trained networks quantized without training", { skip: nativeMissing() }, async (t) => {
  const trained = await run("train", configured("float", "{ name: fp32 }", "{ epochs: 2 }"), "--out", float);
  t.equal(trained.code, 0, trained.stderr);

  for (const [name, method] of Object.entries(methods)) {
    await t.test(`${name}: record, verified export, report`, async (t) => {
      const record = await quantized(t, name, method);
      const out = join(folder, name);
      const { postTraining, epochs, result, network } = record;
      t.strictSame(epochs, []);
      t.equal(postTraining!.images, 48);
      t.equal(postTraining!.layers.length, network.layers.length);
      t.equal(record.times.layerSeconds!.length, network.layers.length);
      for (const layer of postTraining!.layers) {
        t.equal(layer.bits, 3);
        t.ok(layer.error <= layer.nearestError * 1.0001, `${layer.name}: ${layer.error} of ${layer.nearestError}`);
      }
      t.equal(result!.layers[0]!.weightBits, 3, "bit operations count 3 bits");
      t.equal(sameClassOf(record.exports[0]!.verification!), 100);
      t.equal(record.exports[0]!.opset, 21, "and the file stores 4");
      t.same(result!.metrics, record.exports[0]!.verification!.metrics);
      decodesToCheckpoint(t, out, record);
      const { bothRight, lost, gained } = classificationOf(record.findings).float!;
      t.same(
        [postTraining!.floatMetrics, result!.metrics],
        [{ top1: share(bothRight + lost) }, { top1: share(bothRight + gained) }],
      );
      const report = readFileSync(runFiles(out).report, "utf8");
      t.match(report, /In float32, before it was quantized, the network gets/);
      t.match(report, /Layer by layer/);
      t.match(report, /are stored in 4 bits/);
    });
  }

  await t.test("another form, evaluation, and the comparison", async (t) => {
    const exported = await runHere("export", join(folder, "adaround"), "--form", "int8");
    t.equal(exported.code, 0, exported.stderr);
    const evaluated = await runHere("evaluate", join(folder, "adaround"), "--json");
    t.equal(JSON.parse(evaluated.stdout).top1, readRecord(join(folder, "adaround")).result!.metrics.top1);
    const page = join(folder, "comparison.html");
    const runs = Object.keys(methods).map((name) => join(folder, name));
    const compared = await runHere("report", ...runs, "--out", page);
    t.equal(compared.code, 0, compared.stderr);
    t.match(readFileSync(page, "utf8"), /Post-training methods side by side/);
    const report = readFileSync(runFiles(join(folder, "adaround")).report, "utf8");
    t.match(report, /What float32 gets right and this network wrong/, "drawn again, without the data");
  });

  await t.test("stopped after a layer and resumed, it gives the same bytes", async (t) => {
    const out = join(folder, "resumed");
    const whole = readRecord(join(folder, "adaround"));
    const config = configured("adaround", methods.adaround, `{ from: ${float} }`);
    const { child, ended } = start(["train", config, "--out", out]);
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (chunk: Buffer) => chunk.includes(" bits, error") && resolve()),
    );
    child.kill("SIGINT");
    t.equal((await ended).code, 130);
    const done = readRecord(out).postTraining!.layers.length;
    t.ok(done > 0 && done < whole.postTraining!.layers.length, `${done} layers are kept`);
    const resumed = await runHere("train", config, "--out", out, "--resume");
    t.equal(resumed.code, 0, resumed.stderr);
    t.notMatch(resumed.stderr, new RegExp(`${whole.postTraining!.layers[0]!.name}: 3 bits`), "it is not done again");
    t.strictSame(readRecord(out).postTraining, whole.postTraining);
    t.strictSame(readRecord(out).findings, whole.findings, "also of what float32 said");
    const bytes = (run: string) => readFileSync(runFiles(run).model);
    t.ok(bytes(out).equals(bytes(join(folder, "adaround"))));
  });

  await t.test("what does not fit the run is one message", async (t) => {
    const method = `{ name: nearest, ${calibration}, bits: { from: ${float} } }`;
    const config = configured("refused", method, `{ from: ${float} }`);
    const { code, stderr } = await runHere("train", config, "--out", join(folder, "refused"), "--force");
    t.equal(code, 1, stderr);
    t.match(stderr, /method\.bits\.from: .* has no bit-width for/);
    t.notMatch(stderr, /\n\s+at /, "no stack trace");
  });
});

t.test("settings that do not fit are one message", async (t) => {
  const refused = (method: string, training: string, message: RegExp, network?: string) => {
    t.throws(() => loadConfig(configured("wrong", method, training, network)), { name: "UsageError", message });
  };
  const from = `{ from: ${float} }`;
  refused("{ name: nearest, calibration: { images: 0 } }", from, /calibration\.images: expected more than 0, got 0/);
  refused("{ name: bit-split, bits: { weights: 5 } }", from, /method\.bits\.weights: expected 2 or 3 or 4 or 8, got 5/);
  refused("{ name: nearest }", "{ epochs: 3 }", /training\.epochs: expected 0: method nearest quantizes/);
  refused("{ name: nearest }", "{}", /training\.from: expected the folder of a run, or/, "name: lenet5");
  refused("{ name: fp32 }", "{}", /training\.epochs: expected at least 1: method fp32 trains/);
});
