import { join } from "node:path";
import t from "tap";
import { lineProgress } from "../../src/commands/line-progress.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { run } from "../fixtures/program.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 64, test: 32 });
const train = (...more: string[]) =>
  run(
    ...["train", "configs/mnist-lenet5-quick.yaml", "--force", "--out", join(folder, "run"), ...more],
    ...["--set", `data.folder=${data}`, "--set", `network.file=${pathOf("keras-cnn")}`],
    ...["--set", "export.latency=false", "--set", "training.epochs=1"],
  );

t.test("in a pipe the log is lines for people; --log-format json is for machines", async (t) => {
  const plain = await train();
  t.equal(plain.code, 0, plain.stderr);
  const [first = "", ...others] = plain.stderr.trim().split("\n");
  t.match(
    first,
    /^\[\d\d:\d\d:\d\d\] INFO: keras-cnn \(4 layers\) on mnist \(64 images to train on, 32 to test on\), bayesian-bits, \w+ engine, \d+ threads?, into \S*run$/,
  );
  t.ok(
    others.some((line) => /^\[\d\d:\d\d:\d\d\] INFO: epoch 1\/\d: loss [\d.]+, /.test(line)),
    plain.stderr,
  );
  const json = await train("--log-format", "json");
  for (const line of json.stderr.trim().split("\n")) t.type(JSON.parse(line).msg, "string");
  const quiet = await train("--quiet");
  t.equal(quiet.stderr, "");
  const wrong = await train("--log-format", "xml");
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, /--log-format.*'xml' is invalid.*pretty, plain, json/);
});

t.test("without a terminal, long work tells of itself every half minute", async (t) => {
  let now = 0;
  const lines: string[] = [];
  const progress = lineProgress(
    (line) => lines.push(line),
    () => now,
  );
  progress.start("solving layers", 40);
  for (now = 0; now <= 100_000; now += 5000) progress.update((40 * now) / 120_000, "conv2");
  progress.stop();
  t.strictSame(lines, [
    "solving layers: 25 %, 1m30s left, conv2",
    "solving layers: 50 %, 1m00s left, conv2",
    "solving layers: 75 %, 30s left, conv2",
  ]);
});
