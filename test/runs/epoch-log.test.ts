import { appendFileSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readCheckpoint, readCheckpointAlone } from "../../src/runs/checkpoint.ts";
import { saveCheckpoint, takeUpCheckpoint } from "../../src/runs/checkpoints.ts";
import { EpochLog, epochLogFile } from "../../src/runs/epoch-log.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, recordFile, writeRunningRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { start } from "../../src/training/loop.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { unfinishedRecord } from "../fixtures/sample-record.ts";

const failure = (message: RegExp) => ({ name: "UserError", message });

/** The record of a run after so many epochs. */
function after(count: number): RunRecord {
  const record = unfinishedRecord({ epochs: count });
  const times = Array.from({ length: count }, (_, index) => index + 0.5);
  return { ...record, times: { ...record.times, epochSeconds: times, waitingForData: times } };
}

/** Saves as a run does. */
function save(folder: string, log: EpochLog, record: RunRecord) {
  const epochLog = log.append(record);
  const step = record.epochs.length;
  const tensors = new Map([["w", { shape: [1], values: Float32Array.of(step) }]]);
  saveCheckpoint(folder, { tensors, progress: { ...start, epoch: step, step }, record, epochLog });
  writeRunningRecord(folder, record, epochLog);
  return epochLog;
}

t.test("readers see one record, and no epoch makes record or checkpoint larger", async (t) => {
  const folder = t.testdir({});
  const log = new EpochLog(folder, null);
  const sizes = [];
  for (let count = 0; count <= 6; count++) {
    save(folder, log, after(count));
    t.strictSame(readRecord(folder), after(count), `${count} epochs`);
    t.strictSame(readCheckpoint(runFiles(folder).checkpoint).record, after(count));
    sizes.push([join(folder, recordFile), runFiles(folder).checkpoint].map((path) => statSync(path).size));
  }
  // Numbers of more digits, and what fills up to 8 bytes.
  for (const file of [0, 1]) {
    const growth = sizes[6]![file]! - sizes[1]![file]!;
    t.ok(growth < 32, `${growth} bytes in 5 epochs`);
  }
});

t.test("what is logged is not checked again, so that no epoch costs more than another", async (t) => {
  const log = new EpochLog(t.testdir({}), null);
  log.append(after(2));
  const record = after(3);
  const breaks = [Number.NaN, Number.NaN, 2.5];
  const place = log.append({ ...record, times: { ...record.times, epochSeconds: breaks, waitingForData: breaks } });
  t.equal(place.lines, 3);
});

t.test("what a killed run wrote behind its checkpoint goes, a line that is torn or whole", async (t) => {
  const root = t.testdir({});
  for (const [index, behind] of ['{"epoch":{"epo', `${JSON.stringify({ epoch: {}, seconds: 1 })}\n`].entries()) {
    const [folder, whole] = [join(root, `killed-${index}`), join(root, `whole-${index}`)];
    save(folder, new EpochLog(folder, null), after(2));
    const path = join(folder, epochLogFile);
    appendFileSync(path, behind);
    t.strictSame(readRecord(folder), after(2), "a reader takes what the record is of");
    const { record, epochLog } = takeUpCheckpoint(folder, recordingReporter());
    t.strictSame(record, after(2));
    save(folder, new EpochLog(folder, epochLog ?? null), after(3));
    save(whole, new EpochLog(whole, null), after(3));
    t.equal(readFileSync(path, "utf8"), readFileSync(join(whole, epochLogFile), "utf8"));
  }
});

t.test("a damaged log is found: the checkpoint before it is used, or none", async (t) => {
  const folder = t.testdir({});
  const log = new EpochLog(folder, null);
  save(folder, log, after(1));
  save(folder, log, after(2));
  const path = join(folder, epochLogFile);
  truncateSync(path, statSync(path).size - 2);
  t.throws(
    () => readCheckpoint(runFiles(folder).checkpoint),
    failure(/epochs\.ndjson: its first \d+ bytes are damaged/),
  );
  t.equal(readRecord(folder).epochs.length, 1, "a reader gets the whole lines");
  const reporter = recordingReporter();
  t.equal(takeUpCheckpoint(folder, reporter).progress.step, 1);
  t.match(
    reporter.warnings[0],
    /epochs\.ndjson: its first \d+ bytes are damaged.*: using the one before it, of step 1/,
  );
  rmSync(path);
  t.throws(() => takeUpCheckpoint(folder, reporter), failure(/epochs\.ndjson: ENOENT.*train again with --force/s));
  t.equal(
    readCheckpointAlone(join(folder, "checkpoints", "previous.safetensors")).progress.step,
    1,
    "its tensors are there",
  );
});

t.test("an epoch that could not be read back is not written", async (t) => {
  const folder = t.testdir({});
  const record = after(2);
  record.epochs[1]!.relativeBops = Number.NaN;
  t.throws(() => new EpochLog(folder, null).append(record), /breaks its schema:\n {2}epochs\[1\]\.relativeBops/);
});

t.test("a run of an older version goes on with a log of all its epochs", async (t) => {
  const folder = t.testdir({});
  saveCheckpoint(folder, { tensors: new Map(), progress: start, record: after(3) });
  const { record, epochLog } = takeUpCheckpoint(folder, recordingReporter());
  t.equal(epochLog, undefined);
  save(folder, new EpochLog(folder, null), { ...after(4), epochs: [...record.epochs, ...after(4).epochs.slice(3)] });
  t.strictSame(readRecord(folder).epochs, after(4).epochs);
});
