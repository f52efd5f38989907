import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { StoppedError, UserError } from "../../src/core/errors.ts";
import { silent } from "../../src/core/progress.ts";
import { SavedRun } from "../../src/runner/saved-run.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

function setUp(t: Test) {
  const folder = t.testdir();
  const context = { reporter: silent, stop: new AbortController().signal };
  const record = { ...sampleRecord(), status: "running" as const, warnings: [] };
  const weight = { shape: [2], values: new Float32Array([1, 2]) };
  const saved = new SavedRun({
    ...{ folder, record, context },
    publish: () => {},
    tensors: () => new Map([["w", weight]]),
    imagesFrom: () => [],
  });
  return { folder, saved, weight };
}

const failing = (error: unknown) => () => {
  throw error;
};
const disk = new UserError("cannot write x: EIO", { exitCode: 1 });

t.test("a failure tells which step is kept, and the record that the run has failed", async (t) => {
  const { folder, saved } = setUp(t);
  saved.position = { ...saved.position, epoch: 1, batch: 2, step: 5 };
  saved.save();
  saved.position = { ...saved.position, epoch: 1, batch: 3, step: 6 };
  const message = /^cannot write x: EIO\nthe state of step 5 is kept: continue from it with --resume$/;
  await t.rejects(saved.markFailure(failing(disk)), { exitCode: 1, message });
  t.match(readRecord(folder), { status: "failed", warnings: [{ step: 6, message: "cannot write x: EIO" }] });
});

t.test("a checkpoint that is not finite is refused, and the one before it is what is kept", async (t) => {
  const { saved, weight } = setUp(t);
  saved.save();
  saved.position = { ...saved.position, epoch: 0, batch: 1, step: 1 };
  weight.values[1] = Number.NaN;
  await t.rejects(
    saved.markFailure(() => saved.save()),
    { message: /^not saved at step 1: w is not finite; .*\nthe state of step 0 is kept/ },
  );
});

t.test("a machine whose time is set back neither shortens a run nor holds its checkpoints up", async (t) => {
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  const { folder, saved } = setUp(t);
  Date.now = () => now() - 3_600_000;
  saved.position = { ...saved.position, epoch: 0, batch: 1, step: 1 };
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.ok(saved.isDue({ everyEpochs: 1, everyMinutes: 1e-6 }), "a checkpoint is due by time");
  t.notOk(saved.isDue({ everyEpochs: 1, everyMinutes: 10 }));
  saved.save();
  t.ok(readRecord(folder).times.seconds >= 0, `${readRecord(folder).times.seconds} s`);
});

t.test("without a checkpoint that can be read, nothing is said to be kept", async (t) => {
  const { folder, saved } = setUp(t);
  await t.rejects(saved.markFailure(failing(disk)), disk);
  t.notOk(existsSync(join(folder, recordFile)), "a run that never began is none");
  saved.save();
  writeFileSync(runFiles(folder).checkpoint, "damaged");
  await t.rejects(saved.markFailure(failing(disk)), disk);
  t.equal(readRecord(folder).status, "failed");
});

t.test("what is no error of the user's keeps its own, and a signal is no failure", async (t) => {
  const { folder, saved } = setUp(t);
  saved.save();
  const stop = new StoppedError("SIGTERM", { folder, hasSaved: true });
  await t.rejects(saved.markFailure(failing(stop)), stop);
  t.equal(readRecord(folder).status, "running");
  const bug = new TypeError("x is not a function");
  await t.rejects(saved.markFailure(failing(bug)), bug);
  t.equal(readRecord(folder).status, "failed");
});
