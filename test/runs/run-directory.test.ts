import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { lockFile } from "../../src/runs/lock.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { clearRun, openRunDirectory, previousCheckpoint, runFiles } from "../../src/runs/run-directory.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const anew = { resume: false, force: false };
const resume = { resume: true, force: false };
const force = { resume: false, force: true };

/** Opens and gives the lock back. */
function open(folder: string, how: typeof anew): string {
  const { opening, lock } = openRunDirectory(folder, how);
  if (!existsSync(join(folder, lockFile))) throw new Error("it is not locked");
  lock.release();
  return opening;
}

function runIn(folder: string, status: "finished" | "running" | null, checkpoint?: (folder: string) => string): string {
  mkdirSync(join(folder, "checkpoints"), { recursive: true });
  if (status !== null) writeRecord(folder, { ...sampleRecord(), status });
  if (checkpoint) writeFileSync(checkpoint(folder), "");
  return folder;
}

const last = (folder: string) => runFiles(folder).checkpoint;
const refused = (exitCode: number, message: RegExp) => ({ exitCode, message });

t.test("an empty folder, or none, begins anew whatever is asked for", async (t) => {
  for (const how of [anew, resume, force]) t.equal(open(join(t.testdir({}), "a", "b"), how), "new");
});

t.test("a run that is there is neither replaced nor continued without being asked to", async (t) => {
  const finished = runIn(t.testdir({}), "finished", last);
  t.throws(() => open(finished, anew), refused(2, /already holds a finished run: use --force/));
  t.notOk(existsSync(join(finished, lockFile)), "the refused one gives the lock back");
  t.equal(open(finished, resume), "finished");
  t.equal(open(finished, force), "new");
});

t.test("an unfinished run is continued from whichever checkpoint there is", async (t) => {
  for (const checkpoint of [last, previousCheckpoint]) {
    const folder = runIn(t.testdir({}), "running", checkpoint);
    t.throws(() => open(folder, anew), refused(2, /a run that is running: use --resume.*--force/));
    t.equal(open(folder, resume), "resume");
    t.equal(open(folder, { resume: true, force: true }), "resume", "--force then only takes the lock over");
    t.equal(open(folder, force), "new");
  }
  t.equal(open(runIn(t.testdir({}), "running"), resume), "new", "a record alone is nothing to go on from");
  const bare = runIn(t.testdir({}), null, last);
  t.throws(() => open(bare, anew), refused(2, /a run that is stopped/), "a checkpoint alone is a run");
  t.equal(open(bare, resume), "resume");
});

t.test("what killed writers left is cleared, and nothing else", async (t) => {
  const folder = runIn(t.testdir({}), "running", last);
  const [parts, others] = [
    [".record.json.17.part", "checkpoints/.last.safetensors.17.part", ".model.onnx.17.unverified"],
    ["notes.part", ".hidden", "x.17.part"],
  ];
  for (const name of [...parts, ...others]) writeFileSync(join(folder, name), "");
  open(folder, resume);
  t.strictSame(
    parts.filter((name) => existsSync(join(folder, name))),
    [],
  );
  t.strictSame(
    others.filter((name) => !existsSync(join(folder, name))),
    [],
  );
});

t.test("clearing removes a run's files and leaves a user's", async (t) => {
  const folder = runIn(t.testdir({}), "finished", last);
  const { config, model, report } = runFiles(folder);
  for (const path of [config, model, report, previousCheckpoint(folder), join(folder, "notes")])
    writeFileSync(path, "");
  clearRun(folder);
  t.strictSame(readdirSync(folder), ["checkpoints", "notes"]);
  t.strictSame(readdirSync(dirname(last(folder))), []);
});

t.test("a folder that cannot be made is named", async (t) => {
  const file = join(t.testdir({ file: "" }), "file");
  t.throws(() => open(file, anew), refused(1, /cannot create the run directory .*file: .*; choose another with --out/));
});
