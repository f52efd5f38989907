import { appendFileSync, cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { pathOf } from "../fixtures/onnx/files.ts";
import { run } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { sameClassOf } from "../fixtures/tasks.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 40, test: 20 });
const settings = [
  `network.file=${join(folder, "own.onnx")}`,
  `data.folder=${data}`,
  "training.epochs=1",
  "data.limit={train: 16, test: 10}",
].flatMap((setting) => ["--set", setting]);

t.test("a network from a file is trained, exported and evaluated; another file in its place is refused", async (t) => {
  cpSync(pathOf("keras-cnn"), join(folder, "own.onnx"));
  const out = join(folder, "run");
  const trained = await runHere("train", "configs/mnist-lenet5-quick.yaml", ...settings, "--out", out);
  t.equal(trained.code, 0, trained.stderr);
  const record = JSON.parse(readFileSync(join(out, "record.json"), "utf8"));
  t.match(record.network, { name: "own", file: { name: "own.onnx", bytes: 30_216, sha256: /^[0-9a-f]{64}$/ } });
  // Sixteen images leave classes nearly tied: those may fall either way.
  const { agreement, images } = record.exports[0].verification;
  const nearTies = agreement.find(({ key }: { key: string }) => key === "nearTies")?.value ?? 0;
  t.equal(sameClassOf(record.exports[0].verification), 100 * (1 - nearTies / images), "onnxruntime agrees");
  const report = readFileSync(join(out, "report.html"), "utf8");
  t.match(report, /own\.onnx/);
  t.match(report, /In float32, as training began, the network gets \d+ test images right/);
  const evaluated = await run("evaluate", out, "--json");
  t.equal(evaluated.code, 0, evaluated.stderr);

  // One more field of the message, which no reader knows: the network stays the same.
  appendFileSync(join(folder, "own.onnx"), Buffer.from([0xba, 0x3e, 1, 0]));
  const changed = await runHere("evaluate", out);
  t.equal(changed.code, 1);
  t.match(changed.stderr, /the network file own\.onnx has changed since the run began \(SHA-256 [0-9a-f]{64}, now/);
});

t.test("a file that does not fit is one message", async (t) => {
  const refused = await runHere(
    ...["train", "configs/mnist-lenet5-quick.yaml", ...settings, "--out", join(folder, "never")],
    ...["--set", `network.file=${pathOf("pytorch-resnet-legacy")}`],
  );
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /cannot import the network .*: its input .* is .*, the data set's images are 28 x 28 with 1 channels/,
  );
  t.notMatch(refused.stderr, /\n\s+at /, "no stack trace");
});
