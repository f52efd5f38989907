import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { exportRun } from "../../src/runner/export-run.ts";
import { train } from "../../src/runner/train.ts";
import { keepBaselines } from "../../src/runs/baselines.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

t.test("a run that is exported again keeps the baselines of its report", async (t) => {
  const root = t.testdir();
  const data = { name: "mnist" as const, folder: writeSmallMnist(join(root, "data"), { train: 16, test: 10 }) };
  const settings = { name: "small", data: { ...data, batchSize: 8 }, network: { file: pathOf("keras-cnn") } };
  const run = { ...settings, method: { name: "fp32" as const }, training: { epochs: 1 } };
  const folder = join(root, "run");
  await train({ ...run, export: { latency: false as const } }, { folder });
  const page = () => readFileSync(runFiles(folder).report, "utf8");
  t.notMatch(page(), "Against the baselines");
  keepBaselines(folder, [folder]);
  await exportRun(folder, { form: "qonnx" });
  t.match(page(), "Against the baselines");
});
