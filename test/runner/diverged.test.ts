import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { printResult } from "../../src/commands/result.ts";
import { train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 64, test: 60 });

const settings = (name: string, weights: object, guards: object = {}) => ({
  name,
  data: { name: "mnist" as const, folder: data, batchSize: 8 },
  network: { name: "lenet5" as const },
  method: { name: "bayesian-bits" as const },
  training: { epochs: 2, weights, guards },
  export: { latency: false as const },
});

function printed(folder: string, record: Awaited<ReturnType<typeof train>>, json: boolean): string {
  const lines: string[] = [];
  printResult(folder, record, { json, print: (line) => void lines.push(line) });
  return lines.join("\n");
}

for (const [name, weights, said] of [
  [
    "learning-rate",
    { learningRate: 1e6 },
    /the loss of the last epoch is \S+, at the start it was \d\.\d+; top-1 on the test/,
  ],
  [
    "weight-decay",
    { weightDecay: 1e9 },
    /top-1 on the test set is 10\.00 %, and a network that looks at no image comes to 10/,
  ],
] as const) {
  t.test(`a run whose ${name} is far too large says that it learned nothing`, async (t) => {
    const folder = join(root, name);
    const record = await train(settings(name, weights), { folder });
    t.equal(record.status, "finished");
    t.match(record.warnings.map(({ message }) => message).join("\n"), said);
    t.match(record.result?.diverged, said);
    t.match(readFileSync(runFiles(folder).report, "utf8"), said);
    t.match(printed(folder, record, false), /DIVERGED {3}the loss|DIVERGED {3}top-1/);
    t.match(JSON.parse(printed(folder, record, true)).diverged, said);
  });
}

t.test("it ends there, where that is asked for", async (t) => {
  const stop = { diverged: { action: "stop" } };
  await t.rejects(train(settings("stop", { learningRate: 1e6 }, stop), { folder: join(root, "stop") }), {
    name: "UserError",
    message:
      /^training stopped at step 8 \(epoch 1\): the training loss is more than 10 times.*\nthe state of step \d+/,
  });
});
