import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, readCheckpoint } from "../../src/runs/checkpoint.ts";
import { readLastCheckpoint, saveCheckpoint, takeUpCheckpoint } from "../../src/runs/checkpoints.ts";
import { previousCheckpoint, runFiles, unreadableCheckpoint } from "../../src/runs/run-directory.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/runs/safetensors.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const failure = (message: RegExp) => ({ name: "UserError", exitCode: 1, message });

function checkpointAt(step: number, weight = 0.5): Checkpoint {
  return {
    tensors: new Map([
      ["parameter/conv1.weight", { shape: [2, 1], values: Float32Array.of(weight, -0) }],
      ["range/conv1.quantizer", { shape: [1], values: Float64Array.of(step) }],
      ["empty", { shape: [0, 3], values: new Float32Array(0) }],
    ]),
    progress: {
      epoch: 1,
      batch: 2,
      step,
      sums: { images: 32, loss: 1 / 3, taskLoss: 0.1, complexity: 1e-300, figures: { correct: 7 } },
    },
    record: sampleRecord(),
  };
}

/** Flips one bit of a file. */
function damage(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset < 0 ? bytes.length + offset : offset]! ^= 4;
  writeFileSync(path, bytes);
}

t.test("a checkpoint reads back as it was written", async (t) => {
  const folder = t.testdir({});
  saveCheckpoint(folder, checkpointAt(3));
  t.strictSame(readLastCheckpoint(folder, recordingReporter()), checkpointAt(3));
  t.ok(Object.is(readCheckpoint(runFiles(folder).checkpoint).tensors.get("parameter/conv1.weight")!.values[1], -0));
});

t.test("its container is safetensors: any reader of these gets the tensors", async (t) => {
  const { tensors, metadata } = decodeSafetensors(Buffer.from(encodeCheckpoint(checkpointAt(3))), "it");
  t.strictSame(tensors, checkpointAt(3).tensors);
  t.match(metadata, { format: "bayesian-bits-checkpoint", version: "4", sha256: /^[0-9a-f]{64}$/ });
});

t.test("the last two are kept, and nothing else", async (t) => {
  const folder = t.testdir({});
  for (const step of [1, 2, 3]) saveCheckpoint(folder, checkpointAt(step));
  t.equal(readCheckpoint(runFiles(folder).checkpoint).progress.step, 3);
  t.equal(readCheckpoint(previousCheckpoint(folder)).progress.step, 2);
  t.strictSame(readdirSync(dirname(previousCheckpoint(folder))), ["last.safetensors", "previous.safetensors"]);
});

t.test("no byte of a checkpoint can change unnoticed", async (t) => {
  const bytes = Buffer.from(encodeCheckpoint(checkpointAt(3)));
  const unnoticed: number[] = [];
  for (let offset = 0; offset < bytes.length; offset += 7) {
    const copy = Buffer.from(bytes);
    copy[offset]! ^= 1;
    try {
      const { tensors, progress, record } = decodeCheckpoint(copy, "it");
      // Only spaces between the header's parts say nothing.
      const same = JSON.stringify([progress, record]) === JSON.stringify([checkpointAt(3).progress, sampleRecord()]);
      if (!same || String([...tensors.keys()]) !== String([...checkpointAt(3).tensors.keys()])) unnoticed.push(offset);
    } catch (error) {
      if ((error as Error).name !== "UserError") throw error;
    }
  }
  t.strictSame(unnoticed, []);
});

t.test(
  "a damaged last one: the one before it is used, with a warning, and kept from being replaced by it",
  async (t) => {
    const folder = t.testdir({});
    for (const step of [1, 2]) saveCheckpoint(folder, checkpointAt(step));
    const { checkpoint } = runFiles(folder);
    damage(checkpoint, -1);
    const reporter = recordingReporter();
    t.equal(readLastCheckpoint(folder, reporter).progress.step, 1);
    t.match(reporter.warnings, [/last\.safetensors: it is damaged \(checksum\): using the one before it, of step 1$/]);
    t.ok(existsSync(checkpoint), "reading alone changes nothing");
    t.equal(takeUpCheckpoint(folder, recordingReporter()).progress.step, 1);
    t.notOk(existsSync(checkpoint));
    t.ok(existsSync(unreadableCheckpoint(folder)));
    saveCheckpoint(folder, checkpointAt(3));
    t.equal(readCheckpoint(previousCheckpoint(folder)).progress.step, 1, "the good one is still there");
    t.equal(takeUpCheckpoint(folder, recordingReporter()).progress.step, 3);
    t.ok(existsSync(checkpoint), "a good one stays where it is");
  },
);

t.test("killed between the two renames of a save, the previous one is the last", async (t) => {
  const folder = t.testdir({});
  saveCheckpoint(folder, checkpointAt(1));
  renameSync(runFiles(folder).checkpoint, previousCheckpoint(folder));
  const reporter = recordingReporter();
  t.equal(takeUpCheckpoint(folder, reporter).progress.step, 1);
  t.strictSame(reporter.warnings, [], "nothing is lost");
  saveCheckpoint(folder, checkpointAt(2));
  t.equal(readLastCheckpoint(folder, reporter).progress.step, 2);
});

t.test("where none can be read, both are named, with the remedy", async (t) => {
  const folder = t.testdir({});
  const { checkpoint } = runFiles(folder);
  t.throws(() => readLastCheckpoint(folder, recordingReporter()), failure(/ENOENT.*train again with --force/));
  for (const step of [1, 2]) saveCheckpoint(folder, checkpointAt(step));
  truncateSync(checkpoint, 100);
  damage(previousCheckpoint(folder), -1);
  const both = /last\.safetensors: it is damaged.*previous\.safetensors: it is damaged.*train again with --force/;
  t.throws(() => readLastCheckpoint(folder, recordingReporter()), failure(both));
  rmSync(previousCheckpoint(folder));
  t.throws(() => readLastCheckpoint(folder, recordingReporter()), failure(/last\.safetensors.*--force$/));
});

t.test("a state that is not finite never replaces one that is", async (t) => {
  const folder = t.testdir({});
  for (const step of [1, 2]) saveCheckpoint(folder, checkpointAt(step));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(
      () => saveCheckpoint(folder, checkpointAt(3, value)),
      failure(/not saved at step 3: parameter\/conv1\.weight is not finite.*learningRate/),
    );
  }
  t.equal(readCheckpoint(runFiles(folder).checkpoint).progress.step, 2);
  t.equal(readCheckpoint(previousCheckpoint(folder)).progress.step, 1);
});

t.test("a record that could not be read back is not saved", async (t) => {
  const folder = t.testdir({});
  const record = { ...sampleRecord(), seed: -1 };
  t.throws(() => saveCheckpoint(folder, { ...checkpointAt(1), record }), /seed/);
});

t.test("other files are told from checkpoints, and other versions from damage", async (t) => {
  const file = (metadata: Readonly<Record<string, string>>) => Buffer.from(encodeSafetensors(new Map(), metadata));
  t.throws(() => decodeCheckpoint(file({}), "x"), failure(/x is not a checkpoint of this program/));
  const format = "bayesian-bits-checkpoint";
  t.throws(() => decodeCheckpoint(file({ format, version: "9" }), "x"), failure(/it has version 9.*reads 4/));
  t.throws(() => decodeCheckpoint(file({ format }), "x"), failure(/it has version 1, and this program reads 4/));
  t.throws(() => decodeCheckpoint(file({ format, version: "4" }), "x"), failure(/damaged \(checksum\)/));
  t.throws(() => readCheckpoint(join(t.testdir(), "none")), failure(/cannot read the checkpoint .*none: ENOENT/));
});

/** A checkpoint without tensors. */
function fileOf(json: string, version: string): Buffer {
  const sha256 = createHash("sha256").update(json).digest("hex");
  const metadata = { format: "bayesian-bits-checkpoint", version, state: json, sha256 };
  return Buffer.from(encodeSafetensors(new Map(), metadata));
}

t.test("a checkpoint from before there were tasks goes on with a classifier's sums", async (t) => {
  const { progress } = checkpointAt(3);
  const sums = { images: 32, loss: 1 / 3, crossEntropy: 0.1, complexity: 1e-300, correct: 7 };
  const json = JSON.stringify({ progress: { ...progress, sums }, record: sampleRecord() });
  t.strictSame(decodeCheckpoint(fileOf(json, "2"), "x").progress, progress);
  t.throws(() => decodeCheckpoint(fileOf(json, "3"), "x"), failure(/progress\.sums\.taskLoss/));
});

t.test("a whole file with a wrong state is refused with the place in it", async (t) => {
  const file = (json: string) => fileOf(json, "3");
  const { progress } = checkpointAt(3);
  const state = { progress, record: sampleRecord() };
  t.strictSame(decodeCheckpoint(file(JSON.stringify(state)), "x").progress, progress);
  const refused = (change: object) => () =>
    decodeCheckpoint(file(JSON.stringify({ ...state, progress: { ...progress, ...change } })), "x");
  const at = (place: string) => failure(new RegExp(`^cannot read the checkpoint x: progress\\.${place}: `));
  for (const place of ["epoch", "batch", "step"]) {
    t.throws(refused({ [place]: -1 }), at(place));
    t.throws(refused({ [place]: 0.5 }), at(place));
  }
  for (const place of Object.keys(progress.sums)) {
    t.throws(refused({ sums: { ...progress.sums, [place]: null } }), at(`sums\\.${place}`));
  }
  t.throws(() => decodeCheckpoint(file("{"), "x"), failure(/^cannot read the checkpoint x: /));
});
