import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { evaluateRun } from "../../src/runner/evaluate-run.ts";
import { exportRun } from "../../src/runner/export-run.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { readCheckpoint } from "../../src/runs/checkpoint.ts";
import { saveCheckpoint } from "../../src/runs/checkpoints.ts";
import { imageLogFile } from "../../src/runs/image-log.ts";
import { lockFile } from "../../src/runs/lock.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { verifyRun } from "../../src/runs/run-manifest.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { leaveLock } from "../fixtures/left-lock.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { smallClassifier } from "../fixtures/onnx/small-classifier.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 16, test: 10 });
const folder = join(root, "run");

const settings = (epochs = 2, limit?: number) => ({
  name: "small",
  data: { name: "mnist" as const, folder: data, batchSize: 8, ...(limit !== undefined && { limit: { train: limit } }) },
  network: { file: pathOf("keras-cnn") },
  method: { name: "fp32" as const },
  training: { epochs },
  export: { latency: false as const },
});

/** Trains until the first epoch is over. */
function stopAfterOne(folder: string, of: RunSettings = settings()): Promise<unknown> {
  const stop = new AbortController();
  const onRecord: TrainOptions["onRecord"] = ({ epochs }) => {
    if (epochs.length === 1) stop.abort("SIGTERM");
  };
  return train(of, { folder, stop: stop.signal, onRecord });
}

const labels = join(data, "t10k-labels-idx1-ubyte");
const original = readFileSync(labels);
/** The same labels, turned by one class. */
const others = Buffer.concat([original.subarray(0, 8), original.subarray(8).map((label) => (label + 1) % 10)]);

t.test("a run goes on with its own data and settings, or not at all", { timeout: 120_000 }, async (t) => {
  await t.rejects(stopAfterOne(folder), { name: "StoppedError" });

  writeFileSync(labels, others);
  const replaced = {
    name: "UserError",
    message:
      /^the data file t10k-labels-idx1-ubyte has changed since the run began \(SHA-256 \w{64}, now SHA-256 \w{64}\)/,
  };
  await t.rejects(train(settings(), { folder, resume: true }), replaced, "nothing is trained on other data");
  await t.rejects(evaluateRun(folder), replaced);
  writeFileSync(labels, original);
  const limited = train(settings(2, 12), { folder, resume: true });
  await t.rejects(limited, { name: "UsageError", message: /cannot go on with other settings:\n {2}data\.limit/ });
  const { status, epochs, warnings } = await train(settings(), { folder, resume: true });
  t.strictSame([status, epochs.length, warnings.length], ["finished", 2, 0]);

  const again = await train({ ...settings(), note: "another note" }, { folder, resume: true });
  t.equal(again.status, "finished", "a finished run is given back");
  await t.rejects(train(settings(3), { folder, resume: true }), {
    name: "UsageError",
    message:
      /holds a finished run with other settings:\n {2}training\.epochs: 2 → 3\nundo them, train anew with --force/,
  });
  const quantized = {
    ...settings(),
    method: { name: "fixed" as const },
  };
  await t.rejects(train(quantized, { folder, resume: true }), { message: /method\.name: "fp32" → "fixed"/ });

  writeFileSync(labels, others);
  await t.rejects(exportRun(folder, { form: "fp32" }), replaced, "nothing is verified on other data");
});

t.test("a run on a folder of images goes on with the same images alone", { timeout: 120_000 }, async (t) => {
  const pictures = await writeImageFolder(join(root, "pictures"), {
    parts: { train: 8, val: 4 },
    classes: 2,
    side: 28,
  });
  const streamed = {
    ...settings(),
    data: { name: "folder" as const, folder: pictures, size: 28, channels: 1 as const, batchSize: 8, workers: 1 },
    network: { file: join(root, "two-classes.onnx") },
  };
  writeFileSync(streamed.network.file, smallClassifier(2));
  const [whole, part] = [join(root, "whole"), join(root, "part")];
  await train(streamed, { folder: whole });
  const list = readFileSync(join(whole, imageLogFile), "utf8");
  t.equal(list.trim().split("\n").length, 24);
  t.ok(
    verifyRun(whole).files.some(({ path, state }) => path === imageLogFile && state === "whole"),
    "the finished run has its hash",
  );
  await t.rejects(stopAfterOne(part, streamed), { name: "StoppedError" });

  const image = join(pictures, "train", "class-1", "3.png");
  const bytes = readFileSync(image);
  // The pixels are the same: decoders do not look behind the image's end, nor at the checksum of its last chunk.
  writeFileSync(image, Buffer.concat([bytes, Buffer.from([1])]));
  const resumed = () => train(streamed, { folder: part, resume: true });
  const longer = {
    name: "UserError",
    message: /^the data file .*class-1\/3\.png has changed .*\(\d+ bytes, now \d+ bytes\)/,
  };
  await t.rejects(resumed(), longer);
  await t.rejects(evaluateRun(whole), longer);
  const other = Buffer.from(bytes);
  other[other.length - 1]! ^= 1;
  writeFileSync(image, other);
  await t.rejects(resumed(), {
    name: "UserError",
    message:
      /^the data file .*class-1\/3\.png has changed .*\(SHA-256 \w{64}, now SHA-256 \w{64}\).*--force\nthe state of step 2 is kept/s,
  });
  writeFileSync(image, bytes);
  const more = join(pictures, "train", "class-0", "more.png");
  writeFileSync(more, bytes);
  await t.rejects(resumed(), {
    name: "UserError",
    message: /^the data file train \(list of 1[67] images\) has changed .*\n {2}train\/class-0\/more\.png$/s,
  });
  rmSync(more);
  renameSync(image, `${image}.png`);
  await t.rejects(resumed(), { name: "UserError", message: /^images are gone .*\(1\):\n {2}.*class-1\/3\.png\n/ });
  renameSync(`${image}.png`, image);

  const log = join(part, imageLogFile);
  const before = readFileSync(log);
  rmSync(log);
  await t.rejects(resumed(), { name: "UserError", message: /images\.ndjson: ENOENT.*train again with --force/ });
  writeFileSync(log, Buffer.concat([before, Buffer.from("torn")]));
  const { status } = await resumed();
  t.equal(status, "finished");
  t.equal(readFileSync(log, "utf8"), list, "the same images in the same order");
});

t.test("a run that goes on in another environment tells so, and where it was before", async (t) => {
  const moved = join(root, "moved");
  await t.rejects(stopAfterOne(moved), { name: "StoppedError" });
  const checkpoint = readCheckpoint(runFiles(moved).checkpoint);
  const before = { ...checkpoint.record.environment, node: "v18.0.0", tensorflow: "2.9.1" };
  saveCheckpoint(moved, { ...checkpoint, record: { ...checkpoint.record, environment: before } });
  const { environment, laterEnvironments, warnings } = await train(settings(), { folder: moved, resume: true });
  t.strictSame(environment, before);
  t.match(laterEnvironments, [{ epoch: 1, step: 2, node: process.version }]);
  t.match(
    warnings[0]?.message,
    /^continued in another environment.*node: "v18\.0\.0" → "v\d.*; tensorflow: "2\.9\.1" → /,
  );
  t.match(readFileSync(runFiles(moved).report, "utf8"), /Continued elsewhere.*after epoch 1, step 2/s);
});

t.test("a run whose folder is begun anew by another stops, and leaves the other's files alone", async (t) => {
  const lost = join(root, "lost");
  let [text, kept] = ["", [] as readonly string[]];
  const onRecord: TrainOptions["onRecord"] = ({ epochs }) => {
    if (epochs.length !== 1 || text !== "") return;
    rmSync(lost, { recursive: true });
    mkdirSync(lost);
    text = leaveLock(lost, {});
    kept = readdirSync(lost);
  };
  await t.rejects(train(settings(), { folder: lost, onRecord }), { name: "LostFolderError", exitCode: 1 });
  t.strictSame(readdirSync(lost), kept);
  t.equal(readFileSync(join(lost, lockFile), "utf8"), text);
});
