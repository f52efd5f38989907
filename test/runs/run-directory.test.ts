import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { epochLogFile } from "../../src/runs/epoch-log.ts";
import { imageLogFile } from "../../src/runs/image-log.ts";
import { lockFile } from "../../src/runs/lock.ts";
import { ownIdentity } from "../../src/runs/process-identity.ts";
import { recordFile, writeRecord } from "../../src/runs/record-file.ts";
import {
  clearRun,
  openRunDirectory,
  previousCheckpoint,
  runFiles,
  unreadableCheckpoint,
} from "../../src/runs/run-directory.ts";
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
  const { config, model, bits, report } = runFiles(folder);
  const checkpoints = [previousCheckpoint(folder), unreadableCheckpoint(folder)];
  for (const path of [config, model, bits, report, ...checkpoints, join(folder, "notes")]) writeFileSync(path, "");
  clearRun(folder);
  t.strictSame(readdirSync(folder), ["checkpoints", "notes"]);
  t.strictSame(readdirSync(dirname(last(folder))), []);
});

t.test("stopped in the middle, clearing leaves no checkpoint without the logs that it needs", async (t) => {
  for (const checkpoint of [last, previousCheckpoint, unreadableCheckpoint]) {
    const folder = runIn(t.testdir({}), "finished");
    const logs = [epochLogFile, imageLogFile].map((name) => join(folder, name));
    for (const log of logs) writeFileSync(log, "");
    // A folder of that name: the file cannot be removed.
    mkdirSync(checkpoint(folder));
    t.throws(() => clearRun(folder), refused(1, /cannot clear the run directory/));
    for (const log of logs) t.ok(existsSync(log), log);
    rmSync(checkpoint(folder), { recursive: true });
    clearRun(folder);
    for (const log of logs) t.notOk(existsSync(log), log);
  }
});

t.test("a folder that cannot be made is named", async (t) => {
  const file = join(t.testdir({ file: "" }), "file");
  t.throws(() => open(file, anew), refused(1, /cannot create the run directory .*file: .*; choose another with --out/));
});

t.test("a run's files are where they are documented", async (t) => {
  t.strictSame(runFiles("run"), {
    config: join("run", "config.yaml"),
    vocabulary: join("run", "vocabulary.json"),
    events: join("run", "events.ndjson"),
    checkpoint: join("run", "checkpoints", "last.safetensors"),
    model: join("run", "model.onnx"),
    bits: join("run", "bits.json"),
    report: join("run", "report.html"),
  });
  t.equal(previousCheckpoint("run"), join("run", "checkpoints", "previous.safetensors"));
  t.equal(unreadableCheckpoint("run"), join("run", "checkpoints", "unreadable.safetensors"));
});

t.test("--force takes over from a holder of whom nothing is known", async (t) => {
  const folder = runIn(t.testdir({}), "running", last);
  writeFileSync(join(folder, lockFile), JSON.stringify({ ...ownIdentity(), host: "elsewhere", id: "x", since: "" }));
  for (const how of [anew, resume]) t.throws(() => open(folder, how), refused(1, /cannot be seen from here.*--force/));
  t.equal(open(folder, force), "new");
});

t.test("a folder whose record cannot be read is given back", async (t) => {
  const folder = runIn(t.testdir({}), "running", last);
  writeFileSync(join(folder, recordFile), "{");
  for (const how of [anew, resume]) t.throws(() => open(folder, how), refused(1, /record\.json: it is not JSON/));
  t.notOk(existsSync(join(folder, lockFile)));
  t.equal(open(folder, force), "new", "--force needs no record");
});

t.test("only a finished record ends a run: an unfinished one without a checkpoint begins anew", async (t) => {
  const folder = runIn(t.testdir({}), "finished");
  t.equal(open(folder, resume), "finished", "whatever checkpoints are left");
  t.throws(() => open(folder, anew), refused(2, /already holds a finished run: use --force to replace it, or --out/));
});
