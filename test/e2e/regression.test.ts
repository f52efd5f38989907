import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { writeBrightImages } from "../fixtures/bright-images.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { npy, npz } from "../fixtures/npy.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { runHere } from "../fixtures/program-here.ts";

const folder = t.testdir();
const data = join(folder, "bright.npz");
writeBrightImages(data, { train: 640, test: 200 });

/** A configuration with these sections; the rest is the same for all that say nothing else. */
function configured(
  name: string,
  sections: string,
  {
    from = `{ name: npz, train: ${data}, test: ${data}, batchSize: 32 }`,
    network = "{ name: lenet5 }",
  }: { readonly from?: string; readonly network?: string } = {},
): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(
    path,
    `name: ${name}\ntask: { name: regression }\ndata: ${from}\nnetwork: ${network}\nexport: { latency: false }\n${sections}\n`,
  );
  return path;
}

const methods = {
  fp32: "method: { name: fp32 }\ntraining: { epochs: 3 }",
  budget:
    "method: { name: bayesian-bits, prior: { target: { relativeBops: 3 } } }\ntraining: { epochs: 5, gates: { learningRate: 0.03 } }",
  fixed: "method: { name: fixed, weights: 8, activations: 8 }\ntraining: { epochs: 2 }",
  nearest: `method: { name: nearest, bits: { weights: 8 }, calibration: { images: 64 } }\ntraining: { from: ${join(folder, "fp32")} }`,
};

t.test("values are learned, quantized and exported", { skip: nativeMissing() }, async (t) => {
  const records = new Map<string, RunRecord>();
  for (const [name, sections] of Object.entries(methods)) {
    const out = join(folder, name);
    const { code, stdout, stderr } = await runHere("train", configured(name, sections), "--out", out, "--json");
    t.equal(code, 0, stderr);
    const record = readRecord(out);
    records.set(name, record);
    const { rmse, mae, r2 } = record.result!.metrics;
    t.match(JSON.parse(stdout.trim().split("\n").at(-1)!), { run: out, rmse, mae, r2, verified: true });
    t.ok(r2! > 0.5 && mae! <= rmse!, `${name}: RMSE ${rmse}, MAE ${mae}, R² ${r2}`);
    t.strictSame(record.data.targets, { kind: "values", outputs: 2 });
    const { agreement, layers } = record.exports[0]!.verification!;
    t.ok(agreement[0]!.value < 1, `${name}: ${agreement[0]!.value} % of the deviation apart`);
    t.ok(layers.every(({ largestDifference }) => largestDifference <= 1));
    const report = readFileSync(runFiles(out).report, "utf8");
    t.match(report, /RMSE, test set/);
    t.match(report, /Test images by error of output 2/);
    t.notMatch(report, /[Tt]op-1|interval|cross-entropy|classes/);
  }

  await t.test("the record tells of squared error by epoch, and of the errors", async (t) => {
    const { task, epochs, findings } = records.get("budget")!;
    t.match(task, {
      name: "regression",
      metrics: [{ key: "rmse", better: "lower" }],
      loss: { label: "squared error" },
    });
    const [first, last] = [epochs[0]!, epochs.at(-1)!];
    t.ok(last.evaluation.taskLoss < first.evaluation.taskLoss);
    // The loss is what RMSE is the root of, whichever numerics took the mean.
    t.ok(Math.abs(Math.sqrt(last.evaluation.taskLoss) - last.evaluation.metrics.rmse!) < 1e-5);
    t.ok(Math.abs(Math.sqrt(last.train.taskLoss) - last.train.metrics.rmse!) < 1e-5);
    if (findings?.task !== "regression") throw new Error(findings?.task);
    t.strictSame(
      findings.outputs.map(({ errors }) => errors.reduce((sum, count) => sum + count, 0)),
      [200, 200],
    );
  });

  await t.test("a budget is met, and a post-training method keeps the float32 figures", async (t) => {
    t.ok(records.get("budget")!.result!.relativeBops <= 3);
    const { postTraining, result } = records.get("nearest")!;
    t.strictSame(Object.keys(postTraining!.floatMetrics), ["rmse", "mae", "r2"]);
    t.ok(Math.abs(result!.metrics.rmse! - postTraining!.floatMetrics.rmse!) < 0.05);
  });

  await t.test("evaluation of the run and of its file give the same", async (t) => {
    const { metrics } = records.get("fixed")!.result!;
    const own = await runHere("evaluate", join(folder, "fixed"), "--json");
    t.match(JSON.parse(own.stdout), metrics, own.stderr);
    const model = runFiles(join(folder, "fixed")).model;
    const file = await runHere("evaluate", model, "--data", join(folder, "fixed.yaml"));
    t.equal(file.code, 0, file.stderr);
    t.match(file.stdout, /: 0\.\d+ RMSE, 0\.\d+ MAE, 0\.\d+ R² on 200 test images/);
  });

  await t.test("the comparison's front goes down", async (t) => {
    const page = join(folder, "comparison.html");
    const runs = Object.keys(methods).map((name) => join(folder, name));
    const { code, stderr } = await runHere("report", ...runs, "--out", page);
    t.equal(code, 0, stderr);
    const text = readFileSync(page, "utf8");
    t.match(text, /Lowest RMSE/);
    t.match(text, /Down and to the left is better/);
    t.notMatch(text, /[Tt]op-1|interval/);
  });
});

t.test("classes are no values", async (t) => {
  const sections = "method: { name: fp32 }\ntraining: { epochs: 1 }";
  const config = configured("classes", sections, { from: "{ name: mnist }" });
  const { code, stderr } = await runHere("train", config, "--out", join(folder, "classes"));
  t.equal(code, 2, stderr);
  t.match(stderr, /task\.name: it needs numbers to learn, and the images of data\.name mnist have classes/);
  const values = configured("values", sections);
  const other = await runHere("train", values, "--set", "task.name=classification", "--out", join(folder, "values"));
  t.equal(other.code, 1);
  t.match(other.stderr, /elements of type .*<f4.*expected integers, the classes; .*task\.name regression/);
});

t.test("a network of probabilities has no values", { skip: nativeMissing() }, async (t) => {
  const images = npy("|u1", [6, 28, 28], new Uint8Array(6 * 784));
  const labels = npy("<f4", [6, 10], new Uint8Array(new Float32Array(60).buffer));
  const path = join(folder, "ten.npz");
  writeFileSync(path, npz({ images, labels }));
  const config = configured("probabilities", "method: { name: fp32 }\ntraining: { epochs: 1 }", {
    from: `{ name: npz, train: ${path}, test: ${path}, normalization: { mean: [0.5], deviation: [0.5] } }`,
    network: `{ file: ${pathOf("keras-cnn")} }`,
  });
  const { code, stderr } = await runHere("train", config, "--out", join(folder, "probabilities"));
  t.equal(code, 1, stderr);
  t.match(stderr, /keras-cnn\.onnx: it ends in a softmax, .*use task\.name classification/);
});
