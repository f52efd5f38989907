import { join } from "node:path";
import t from "tap";
import { estimateRuns } from "../../src/memory/run-memory.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { sweepFile } from "../fixtures/sweep-file.ts";

t.test("a run is judged by what its method uses", async (t) => {
  const folder = t.testdir();
  const data = { folder: writeSmallMnist(join(folder, "data"), { train: 16, test: 10 }) };
  const quantizing = (images: number) => ({ method: { name: "nearest", calibration: { images } } });
  const training = { from: "nowhere" };
  const list = [
    { name: "trained", "data.batchSize": 8 },
    { name: "trained-large", "data.batchSize": 5000 },
    { name: "quantized", ...quantizing(8), training },
    { name: "quantized-large-batch", ...quantizing(8), training, "data.batchSize": 5000 },
    { name: "quantized-many", ...quantizing(5000), training },
  ];
  const { runs } = planSweep(sweepFile(folder, { list }, { data }), { threads: 1 });
  const needs = await estimateRuns(runs, recordingReporter());
  const bytes = (name: string) => needs.get(name)!.bytes;
  t.ok(bytes("trained-large") > bytes("trained"));
  t.equal(bytes("quantized-large-batch"), bytes("quantized"));
  t.ok(bytes("quantized-many") > bytes("quantized"));
});
