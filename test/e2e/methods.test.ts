import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { digestOf, digestsOf } from "../fixtures/digests.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { sameClassOf } from "../fixtures/tasks.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"));

/** A configuration with this method and training on a few images. */
function configured(name: string, method: string, training: string): string {
  const path = join(folder, `${name}.yaml`);
  const text = `name: ${name}
data: { name: mnist, folder: ${JSON.stringify(data)}, batchSize: 16, validationShare: 0.2 }
network: { name: lenet5 }
method: ${method}
training: ${training}
export: { latency: false }
`;
  writeFileSync(path, text);
  return path;
}

/** Trains and gives the record; the run's folder has the configuration's name. */
async function trained(t: Test, name: string, method: string, training: string): Promise<RunRecord> {
  const out = join(folder, name);
  const { code, stderr } = await runHere("train", configured(name, method, training), "--out", out, "--json");
  t.equal(code, 0, stderr);
  return readRecord(out);
}

const phasesOf = ({ epochs }: RunRecord) => epochs.map(({ phase }) => phase);

t.test("methods, end to end", { skip: nativeMissing(), timeout: 600_000 }, async (t) => {
  const from = join(folder, "fp32");

  await t.test("fp32 trains and exports a float32 network", async (t) => {
    const record = await trained(t, "fp32", "{ name: fp32 }", "{ epochs: 3 }");
    t.equal(record.result!.relativeBops, 100);
    t.ok(record.result!.metrics.top1! > 90, `${record.result!.metrics.top1} %`);
    t.equal(record.epochs[0]!.priorStrength, undefined);
    t.equal(sameClassOf(record.exports[0]!.verification!), 100);
    t.match(readFileSync(runFiles(from).report, "utf8"), /Relative bit operations/);
  });

  await t.test("sensitivity lowers tensors of its network to meet the budget", async (t) => {
    const method = "{ name: sensitivity, low: 2, high: 8, target: { relativeBops: 3 }, trainWeights: false }";
    const record = await trained(t, "sensitivity", method, `{ epochs: 1, from: ${from}, equalize: true }`);
    t.ok(record.result!.relativeBops <= 3);
    const bits = Object.values(record.epochs.at(-1)!.quantizers).map((quantizer) => quantizer.bits);
    t.ok(bits.includes(2) && bits.includes(8), `${bits}`);
    t.ok(record.result!.metrics.top1! > 50, `${record.result!.metrics.top1} %`);
    t.equal(record.epochs[0]!.learningRates.weights, 0);
  });

  await t.test("post-training changes no weight", async (t) => {
    const method = "{ name: bayesian-bits, trainWeights: false, gates: { initial: { bits8: 0 } } }";
    await trained(t, "post-training", method, `{ epochs: 1, gates: { learningRate: 0.05 }, from: ${from} }`);
    const [before, after] = [from, join(folder, "post-training")].map((run) =>
      readCheckpoint(runFiles(run).checkpoint),
    );
    for (const [name, { values }] of before!.tensors) {
      if (name.startsWith("parameter/")) t.equal(digestOf(after!.tensors.get(name)!.values), digestOf(values), name);
    }
  });

  const training = `{ epochs: 3, gates: { learningRate: 0.1 }, finetune: { epochs: 1 } }`;
  const method = "{ name: bayesian-bits, prior: { target: { relativeBops: 2 } } }";
  await t.test("a budget is met, and what is left is fine-tuned", async (t) => {
    const record = await trained(t, "budget", method, training);
    const { relativeBops } = record.result!;
    t.ok(relativeBops <= 2 && relativeBops >= 0.85 * 2, `${relativeBops} %`);
    t.strictSame(phasesOf(record), ["training", "training", "settling", "fine-tuning"]);
    const [first, second] = record.epochs.map(({ priorStrength }) => priorStrength);
    t.ok(first! > 0 && second! > 0 && first !== second, "mu is steered");
    t.equal(record.epochs.at(-1)!.relativeBops, relativeBops, "gates stay as they are");
  });

  await t.test("stopped while gates are fixed and resumed, it gives the same bytes", async (t) => {
    const out = join(folder, "stopped");
    const { child, ended } = start(["train", configured("budget", method, training), "--out", out]);
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (chunk: Buffer) => chunk.includes("epoch 2/4") && setTimeout(resolve, 50)),
    );
    child.kill("SIGINT");
    t.equal((await ended).code, 130);
    const resumed = await runHere("train", configured("budget", method, training), "--out", out, "--resume");
    t.equal(resumed.code, 0, resumed.stderr);
    const tensors = (run: string) => digestsOf(readCheckpoint(runFiles(run).checkpoint).tensors);
    t.strictSame(tensors(out), tensors(join(folder, "budget")));
  });

  await t.test("a budget out of reach is refused before training", async (t) => {
    const unreachable = "{ name: bayesian-bits, prior: { target: { relativeBops: 0.001 } } }";
    const { code, stderr } = await runHere(
      "train",
      configured("unreachable", unreachable, "{ epochs: 1 }"),
      "--out",
      join(folder, "y"),
    );
    t.equal(code, 2);
    t.match(stderr, /method\.prior\.target: expected at least .*, got 0\.001/);
  });

  await t.test("a folder that does not fit is refused", async (t) => {
    const missing = await runHere(
      "train",
      configured("missing", "{ name: fp32 }", "{ epochs: 1, from: ./nowhere }"),
      "--out",
      join(folder, "x"),
    );
    t.equal(missing.code, 1);
    t.match(missing.stderr, /cannot read the checkpoint nowhere/);
  });
});
