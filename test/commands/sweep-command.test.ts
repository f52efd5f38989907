import { join } from "node:path";
import t from "tap";
import { runSweep } from "../../src/commands/sweep-command.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { estimateRuns } from "../../src/memory/run-memory.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { writeTinySweep } from "../fixtures/tiny-sweep.ts";

const reporter = recordingReporter();
const context = {
  json: false,
  verbose: false,
  reporter,
  print: () => {},
  stop: new AbortController().signal,
  holdStops: <T>(work: () => Promise<T>) => work(),
};
const choices = { dryRun: false, detach: false, resume: false, force: false };

t.test("runs that need too much memory are refused, each with the settings that make it fit", async (t) => {
  const folder = t.testdir();
  // A batch holds no more than there are.
  const many = { train: 1500, test: 4000 };
  const quantizing = { method: { name: "nearest", calibration: { images: 50_000 } }, training: { from: "nowhere" } };
  const list = [
    { name: "small", seed: 1 },
    { name: "batch", "data.batchSize": 5000 },
    { name: "evaluation", "data.evaluationBatchSize": 50_000 },
    { name: "both", "data.batchSize": 5000, "data.evaluationBatchSize": 50_000 },
    // Nothing trains: only its number of calibration images is too large.
    { name: "images", ...quantizing, "data.batchSize": 5000 },
  ];
  const file = writeTinySweep(
    folder,
    { list, local: { memoryGiB: 1, workers: 1 } },
    { images: many, network: { name: "lenet5" } },
  );
  const out = join(folder, "out");
  let message = "";
  await runSweep({ file, set: [], out, ...choices }, context).catch((error: Error) => {
    message = error.message;
  });
  const said = new RegExp(
    [
      "more memory than the 1.00 GiB of this sweep: ",
      "batch \\(#: lower data.batchSize to (\\d+)\\), ",
      "evaluation \\(#: lower data.evaluationBatchSize to (\\d+)\\), ",
      "both \\(#: lower data.batchSize to (\\d+) and data.evaluationBatchSize to (\\d+)\\), ",
      "images \\(#: lower method.calibration.images to (\\d+)\\): raise sweep.local.memoryGiB",
    ]
      .join("")
      .replaceAll("#", "\\d+\\.\\d\\d GiB"),
  ).exec(message);
  t.ok(said, message);
  const [batch, evaluation, , , images] = said!.slice(1).map(Number);
  const at = (more: number) => ({
    list: [
      { name: "batch", "data.batchSize": batch! + more },
      { name: "evaluation", "data.evaluationBatchSize": evaluation! + more },
      { name: "images", ...quantizing, "method.calibration.images": images! + more },
    ],
  });
  const bytesAt = async (more: number) => {
    const plan = planSweep(
      loadSweep(writeTinySweep(t.testdir(), at(more), { images: many, network: { name: "lenet5" } }), { set: [] }),
      {
        threads: 1,
      },
    );
    return Array.from((await estimateRuns(plan.runs, reporter)).values(), ({ bytes }) => bytes);
  };
  t.ok(
    (await bytesAt(0)).every((bytes) => bytes <= 2 ** 30),
    "they do fit",
  );
  t.ok(
    (await bytesAt(1)).every((bytes) => bytes > 2 ** 30),
    "and one more would not",
  );
});
