import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runCheck } from "../../src/commands/check-command.ts";
import { runSweep } from "../../src/commands/sweep-command.ts";
import { runTrain } from "../../src/commands/train-command.ts";
import { UsageError } from "../../src/core/errors.ts";
import { recordFile, writeRecord } from "../../src/runs/record-file.ts";
import { quietContext } from "../fixtures/context.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { writeTinySweep } from "../fixtures/tiny-sweep.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 40, test: 20 });
const out = join(root, "run");
const set = [`data.folder=${data}`, "data.batchSize=16", "training.epochs=5", "training.pretrain={epochs: 2}"];
const config = "configs/mnist-lenet5-quick.yaml";

/** A context that keeps what is printed. */
function printing(json: boolean) {
  const lines: string[] = [];
  return { lines, ...quietContext(), json, print: (text: string) => void lines.push(text) };
}

t.test("a run is described before it begins, and nothing is written", { skip: nativeMissing() }, async (t) => {
  const context = printing(true);
  await runCheck({ config, set, out }, context);
  const checked = JSON.parse(context.lines.join(""));
  t.match(checked, {
    ...{ name: "mnist-lenet5-quick", folder: out, holds: null },
    network: { name: "lenet5", inputShape: [28, 28, 1], parameters: 582_026 },
    data: { trainImages: 40, testImages: 20 },
    method: { name: "bayesian-bits" },
    time: { batchSize: 16, stepsPerEpoch: 3, epochs: 7 },
  });
  const { time, network, memory, writes } = checked;
  t.equal(time.seconds, 7 * (3 * time.step + 20 * time.image));
  t.ok(time.step > 0 && time.image > 0 && time.steps > 0);
  t.match(network.layers[0], { name: "conv1", weightShape: [5, 5, 1, 32], outputShape: [24, 24, 32], macs: 460_800 });
  t.match(
    memory.stages.map(({ what }: { what: string }) => what),
    ["training", "saving", "evaluation"],
  );
  t.ok(writes.includes(join(out, "model.onnx")) && writes.includes(join(out, recordFile)));
  t.notOk(existsSync(out));
});

t.test("train --dry-run says the same to people; a run that is there is told", { skip: nativeMissing() }, async (t) => {
  mkdirSync(out);
  writeRecord(out, { ...sampleRecord(), status: "finished" });
  const before = readdirSync(out);
  const context = printing(false);
  await runTrain({ config, set, out, dryRun: true, resume: false, force: false }, context);
  const text = context.lines.join("\n");
  t.match(text, /^run {6}mnist-lenet5-quick, into .*, which holds a run \(finished\): --resume goes on with it/);
  t.match(
    text,
    /^network {2}lenet5: images of 28 × 28 × 1, 582,026 parameters, [\d,]+ MACs\n {9}conv1 {2}5 × 5 × 1 × 32 → /m,
  );
  t.match(
    text,
    /^step {5}[\d.]+ ms for 16 images \(median of \d+\), 3 an epoch\ntime {5}7 epochs in about \d+s, and the export$/m,
  );
  t.match(text, /^memory {3}\d\.\d\d GiB for training, at most .* are free\)$/m);
  t.strictSame(readdirSync(out), before);
});

t.test("what a run would refuse is refused", async (t) => {
  const wrong = runCheck({ config, set: [...set, "data.limit={train: 1}"], out }, printing(true));
  await t.rejects(wrong, UsageError);
  const cheap = runCheck(
    {
      config,
      set: [`data.folder=${data}`, "method.prior.target={relativeBops: 0.0001}"],
      out,
    },
    printing(true),
  );
  await t.rejects(cheap, /method\.prior\.target: expected at least/);
});

t.test("post-training is looked at without a time", async (t) => {
  const context = printing(true);
  const network = join(root, "network.yaml");
  writeFileSync(
    network,
    `data: { name: mnist, folder: ${data} }\nnetwork: { file: test/fixtures/onnx/keras-cnn.onnx }\nmethod: { name: nearest }\n`,
  );
  await runCheck({ config: network, set: [], out: join(root, "other") }, context);
  t.match(JSON.parse(context.lines.join("")), { time: null, method: { name: "nearest" } });
});

t.test("a sweep's plan has the time of every run, and why one cannot begin", { skip: nativeMissing() }, async (t) => {
  const list = [
    { name: "short", "training.epochs": 2 },
    { name: "long", "training.epochs": 6 },
    { name: "broken", "training.from": join(root, "nowhere") },
  ];
  const file = writeTinySweep(root, { list, local: { workers: 2 } });
  const options = { file, set: [], out: join(root, "swept"), dryRun: true, detach: false, resume: false, force: false };
  const machines = printing(true);
  await runSweep(options, machines);
  const { seconds, runs } = JSON.parse(machines.lines.join(""));
  const [short, long, broken] = runs;
  t.ok(Math.abs(long.seconds - 3 * short.seconds) < 1e-9, "steps are measured once for both");
  t.equal(seconds, Math.max((short.seconds + long.seconds) / 2, long.seconds));
  t.match(broken, { problem: /nowhere/ });
  const people = printing(false);
  await runSweep(options, people);
  const text = people.lines.join("\n");
  t.match(text, /^run +time +settings\nshort +\d+s +.*training\.epochs=2\n/);
  t.match(text, /^broken cannot begin: .*nowhere/m);
  t.match(text, /3 runs, 2 at a time with 1 thread each, about \d+s in all, into /);
});
