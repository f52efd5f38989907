import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseQuantize } from "../../src/config/load-quantize.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { UserError } from "../../src/core/errors.ts";
import { takeFiles } from "../../src/data/download/package-archive.ts";
import { extractZip } from "../../src/engine/provision/extract.ts";
import { type ProgressOf, progressFile, QuantizeProgress } from "../../src/runner/quantize-progress.ts";
import { programOf } from "../../src/runner/run-environment.ts";
import { TeacherOutputs } from "../../src/runner/teacher-outputs.ts";
import { baselineFile, readBaselines } from "../../src/runs/baselines.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/runs/checkpoint.ts";
import { epochLogFile } from "../../src/runs/epoch-log.ts";
import { imageLogFile, readImages } from "../../src/runs/image-log.ts";
import { acquireLock, lockFile } from "../../src/runs/lock.ts";
import { ownIdentity } from "../../src/runs/process-identity.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/runs/safetensors.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { newState, readState } from "../../src/sweep/sweep-state.ts";
import { archiveOf, sha256Of } from "../fixtures/registry.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { zip } from "../fixtures/zip.ts";
import { bombsBySize } from "./bombs-by-size.ts";
import { dataParsers } from "./data-parsers.ts";
import { asFile, type FuzzedParser, text } from "./fuzzed-parser.ts";
import { networkParsers } from "./network-parsers.ts";

const quick = readFileSync("configs/mnist-lenet5-quick.yaml", "utf8").replace(
  "extends: ./",
  `extends: ${process.cwd()}/configs/`,
);
const paper = readFileSync("configs/mnist-lenet5.yaml", "utf8");

const checkpoint = encodeCheckpoint({
  tensors: new Map([["parameter/a", { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]),
  progress: { epoch: 1, batch: 0, step: 4, sums: { images: 0, loss: 0, taskLoss: 0, complexity: 0, figures: {} } },
  record: sampleRecord(),
});

const wanted = { path: "data/a", content: Buffer.from("0123456789".repeat(30)) };
const archive = archiveOf([
  { path: "package/index.js", content: Buffer.from("x") },
  { path: `package/${wanted.path}`, content: wanted.content },
  { path: "package/link", type: "SymbolicLink", linkpath: "/etc/passwd" },
]);

/** What takes files out of an archive says with plain errors is made a user's by who fetched it (fetch-package.ts). */
async function takeWanted(bytes: Buffer): Promise<void> {
  const file = { path: wanted.path, bytes: wanted.content.length, sha256: sha256Of(wanted.content) };
  await takeFiles(bytes, [file]).catch((error: unknown) => {
    if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) throw error;
    throw new UserError(error.message, { cause: error });
  });
}

const wheel = { "tensorflow/libtensorflow_cc.so.2": "library", "tensorflow/include/tensorflow/c/c_api.h": "header" };

/** Every parser of the program by its name. A new one is a line here, and in the bombs (bombs-by-size.ts). */
const progressOf: ProgressOf = {
  ...{ sha256: "1", dataSha256: null, measured: null, environment: null, runtime: "a runtime" },
  program: programOf(),
  settings: parseQuantize({ network: { file: "it.onnx" } }),
};

/** A file as a stopped run leaves it. */
function progressSeed(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "progress-"));
  try {
    const progress = new QuantizeProgress(folder, progressOf, { resume: false });
    progress.keep("harm 2 0 w", 0.5);
    progress.keep("codes float 4 0 w", { codes: "AAEC", steps: "AACAPw==", method: "nearest" });
    return readFileSync(join(folder, progressFile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const byName: Readonly<Record<string, FuzzedParser>> = {
  ...dataParsers,
  ...networkParsers,
  config: {
    seeds: text(quick, paper, JSON.stringify({ extends: [], a: [1, { b: null }] })),
    parse: asFile("c.yaml", (path) => loadConfig(path)),
  },
  setting: {
    seeds: text("training.epochs=3", "training.weights={optimizer: sgd, schedule: cosine}", "data.limit={train: 16}"),
    parse: (bytes) => loadConfig("configs/mnist-lenet5.yaml", { set: [bytes.toString("utf8")] }),
  },
  sweep: {
    seeds: text(
      JSON.stringify({
        sweep: { grid: { seed: [1, 2], "method.prior.strength": [0.1] }, list: [{ name: "a", method: {} }] },
      }),
      "sweep:\n  random: { count: 2, settings: { seed: { int: [1, 9] } } }\n  slurm: { time: 1-02:00:00, modules: [cuda/12] }\n",
    ),
    parse: asFile("s.yaml", (path) => planSweep(loadSweep(path), { threads: 1 })),
  },
  "sweep-state": {
    seeds: text(
      JSON.stringify(newState("s", "local", { runs: [], jobs: [{ name: "j", id: null, runs: ["a"], logBytes: [0] }] })),
    ),
    parse: asFile("sweep.json", (_, folder) => readState(folder)),
  },
  record: {
    seeds: text(JSON.stringify(sampleRecord(), null, 1)),
    parse: asFile(recordFile, (_, folder) => readRecord(folder)),
  },
  baselines: {
    seeds: text(JSON.stringify({ format: "bayesian-bits-baselines", runs: ["../one", "../two"] })),
    parse: asFile(baselineFile, (_, folder) => readBaselines(folder, () => {})),
  },
  "epoch-log": {
    seeds: text(
      sampleRecord()
        .epochs.map((epoch) => `${JSON.stringify({ epoch, seconds: 1 })}\n`)
        .join(""),
    ),
    parse: asFile(epochLogFile, (_, folder) => {
      // As many lines as there are.
      const epochLog = { lines: 10 ** 9, bytes: 0, sha256: "" };
      writeFileSync(join(folder, recordFile), JSON.stringify({ ...sampleRecord(), epochs: [], epochLog }));
      return readRecord(folder);
    }),
  },
  "image-log": {
    seeds: text(
      ["train/a/1.jpg", "train/b/2.png"]
        .map((name) => `${JSON.stringify({ name, bytes: 7, sha256: sha256Of(Buffer.from(name)) })}\n`)
        .join(""),
    ),
    parse: asFile(imageLogFile, (path, folder) => {
      const bytes = readFileSync(path);
      return readImages(folder, { lines: 2, bytes: bytes.length, sha256: sha256Of(bytes) });
    }),
  },
  "quantize-progress": {
    seeds: [progressSeed()],
    parse: asFile(progressFile, (_, folder) => new QuantizeProgress(folder, progressOf, { resume: true })),
  },
  "teacher-outputs": {
    seeds: [
      encodeSafetensors(new Map([["outputs", { shape: [1, 2], values: Float32Array.of(1, 2) }]]), {
        ...{ format: "bayesian-bits-teacher-outputs", samples: Buffer.alloc(16).toString("base64") },
        sha256: sha256Of(Buffer.concat([Buffer.alloc(16), Buffer.from(Float32Array.of(1, 2).buffer)])),
      }),
    ].map((bytes) => Buffer.from(bytes)),
    parse: (bytes) => TeacherOutputs.decode(bytes, "it"),
  },
  safetensors: { seeds: [checkpoint], parse: (bytes) => decodeSafetensors(bytes, "it") },
  checkpoint: { seeds: [checkpoint], parse: (bytes) => decodeCheckpoint(bytes, "it") },
  "checkpoint-state": {
    seeds: text(JSON.stringify({ progress: { epoch: 0, batch: 0, step: 0, sums: {} }, record: sampleRecord() })),
    parse(bytes) {
      // Signed, so that what is behind the checksum is reached.
      const state = bytes.toString("utf8");
      const sha256 = createHash("sha256").update(state).digest("hex");
      const metadata = { format: "bayesian-bits-checkpoint", version: "2", state, sha256 };
      return decodeCheckpoint(Buffer.from(encodeSafetensors(new Map(), metadata)), "it");
    },
  },
  lock: {
    seeds: text(JSON.stringify({ ...ownIdentity(), id: "x", since: "2026-01-01" })),
    parse: asFile(lockFile, (_, folder) => acquireLock(folder, { force: true })),
  },
  "package-archive": { seeds: [archive], parse: takeWanted },
  "package-entries": { seeds: [gunzipSync(archive)], parse: (bytes) => takeWanted(gzipSync(bytes)) },
  zip: {
    seeds: [zip(wheel), zip({ ...wheel, "../x": "out" })],
    async parse(bytes, folder) {
      const path = join(folder, "a.whl");
      writeFileSync(path, bytes);
      await extractZip(path, join(folder, "out"), (entry) => entry);
      rmSync(join(folder, "out"), { recursive: true, force: true });
    },
  },
};

/** Every parser, and each once more for what its bombs do to it. */
export const parsers: Readonly<Record<string, FuzzedParser>> = {
  ...byName,
  ...Object.fromEntries(
    Object.entries(bombsBySize).map(([name, bombs]) => [`${name}-bombs`, { ...byName[name]!, seeds: [], bombs }]),
  ),
};
