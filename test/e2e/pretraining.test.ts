import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { digestsOf } from "../fixtures/digests.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { classificationOf } from "../fixtures/tasks.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 320, test: 40 });
const config = join(folder, "pretrained.yaml");
writeFileSync(
  config,
  `name: pretrained
data: { name: mnist, folder: ${JSON.stringify(data)}, batchSize: 8 }
network: { file: ${JSON.stringify(pathOf("pytorch-cnn-legacy"))} }
method: { name: bayesian-bits, prior: { target: { relativeBops: 3 } } }
training: { epochs: 2, gates: { learningRate: 0.05 }, pretrain: { epochs: 2, weights: { learningRate: 0.002 } } }
export: { latency: false }
`,
);

/** Trains until the epoch's line is written. */
async function stoppedIn(epoch: string, out: string, ...more: string[]): Promise<number | null> {
  const { child, ended } = start(["train", config, "--out", out, ...more]);
  child.stderr!.on("data", (chunk: Buffer) => chunk.includes(epoch) && child.kill("SIGINT"));
  return (await ended).code;
}

const tensorsOf = (run: string) => digestsOf(readCheckpoint(runFiles(run).checkpoint).tensors);

t.test("pretraining in float32 and the method's training are one run", { skip: nativeMissing() }, async (t) => {
  const out = join(folder, "whole");
  const { code, stderr } = await runHere("train", config, "--out", out);
  t.equal(code, 0, stderr);
  const { epochs, result, findings } = readRecord(out);
  t.strictSame(
    epochs.map(({ phase }) => phase),
    ["pretraining", "pretraining", "training", "settling"],
  );
  t.strictSame(epochs.map(({ relativeBops }) => relativeBops).slice(0, 2), [100, 100]);
  t.strictSame(epochs[0]!.learningRates, { weights: 0.002, gates: 0, ranges: 0 });
  const ranges = epochs.map(({ quantizers }) => Object.values(quantizers).map(({ xMax }) => xMax));
  t.ok(
    ranges[1]!.every((range) => range === 1),
    "ranges wait for the weights",
  );
  t.ok(ranges[2]!.every((range) => range !== 1));
  t.ok(epochs[1]!.train.taskLoss < epochs[0]!.train.taskLoss);
  t.ok(result!.relativeBops <= 3);
  const report = readFileSync(runFiles(out).report, "utf8");
  t.match(report, /1–2 pretraining, 3 training, 4 settling/);
  const found = classificationOf(findings);
  const { bothRight, lost, gained, bothWrong, images } = found.float!;
  t.equal((100 * (bothRight + lost)) / 40, epochs[1]!.evaluation.metrics.top1, "right in float32, after pretraining");
  t.equal((100 * (bothRight + gained)) / 40, result!.metrics.top1, "right now");
  t.equal(bothRight + lost + gained + bothWrong, 40);
  t.equal(images.length, Math.min(24, lost));
  t.match(report, /In float32, after pretraining, the network gets/);

  const stopped = join(folder, "stopped");
  t.equal(await stoppedIn("epoch 1/4", stopped), 130);
  t.notOk(
    Object.keys(tensorsOf(stopped)).some((name) => name.startsWith("range/")),
    "no quantizer yet",
  );
  t.equal(await stoppedIn("epoch 2/4", stopped, "--resume"), 130);
  const resumed = await runHere("train", config, "--out", stopped, "--resume");
  t.equal(resumed.code, 0, resumed.stderr);
  t.strictSame(tensorsOf(stopped), tensorsOf(out), "the same bytes, stopped in both phases");
  t.strictSame(readRecord(stopped).findings, findings, "also of what float32 said");
});

t.test("its schedule ends with it", async (t) => {
  const weights = "{ schedule: { name: multistep, milestones: [2] } }";
  const { code, stderr } = await runHere(
    "train",
    config,
    "--set",
    `training.pretrain.weights=${weights}`,
    "--out",
    folder,
  );
  t.equal(code, 2);
  t.match(
    stderr,
    /pretrain\.weights\.schedule\.milestones: .* before the last epoch \(training\.pretrain\.epochs is 2\)/,
  );
});
