import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runVerify } from "../../src/commands/verify-command.ts";
import { saveCheckpoint } from "../../src/runs/checkpoints.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { writeFinishedRecord } from "../../src/runs/run-manifest.ts";
import { start } from "../../src/training/loop.ts";
import { quantizedRecord } from "../fixtures/quantized-record.ts";
import { sampleRecord, unfinishedRecord } from "../fixtures/sample-record.ts";

const tensors = new Map([["w", { shape: [1], values: Float32Array.of(1) }]]);

/** A finished run; its network's file is made up. */
function finish(folder: string): void {
  const record = sampleRecord();
  saveCheckpoint(folder, { tensors, progress: start, record });
  for (const path of [runFiles(folder).model, runFiles(folder).bits, runFiles(folder).config])
    writeFileSync(path, path);
  writeFinishedRecord(folder, record);
}

function verified(run: string): { readonly lines: readonly string[]; readonly error: Error | null } {
  const lines: string[] = [];
  try {
    runVerify({ run }, { json: false, print: (line) => void lines.push(line) });
    return { lines, error: null };
  } catch (error) {
    if (error instanceof Error) return { lines, error };
    throw error;
  }
}

t.test("a finished run has the hashes of its files, and a single byte is told", async (t) => {
  const folder = join(t.testdir({}), "run");
  finish(folder);
  const { lines, error } = verified(folder);
  t.equal(error, null);
  const names = ["record.json", "config.yaml", "checkpoints/last.safetensors", "model.onnx", "bits.json"];
  t.strictSame(
    lines.map((line) => line.split(/ +/)),
    names.map((name) => [name, "whole"]),
  );
  for (const name of names) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const damaged = Buffer.from(bytes);
    damaged[bytes.length - 2]! ^= 1;
    writeFileSync(path, damaged);
    t.match(verified(folder).error, { name: "UserError", message: `${name} is damaged` });
    writeFileSync(path, bytes.subarray(0, -1));
    t.match(verified(folder).error?.message, `${name} is damaged`);
    rmSync(path);
    t.match(verified(folder).error?.message, `${name} is missing`);
    writeFileSync(path, bytes);
  }
  t.equal(verified(folder).error, null);
  writeFileSync(join(folder, "files.json"), "{");
  t.match(verified(folder).error?.message, /cannot read .*files\.json: it does not have the hashes/);
});

t.test("a run without hashes says so, and is read", async (t) => {
  const folder = t.testdir({});
  const record = unfinishedRecord();
  saveCheckpoint(folder, { tensors, progress: start, record });
  writeRecord(folder, record);
  const { lines, error } = verified(folder);
  t.equal(error, null);
  t.match(lines, [/^record\.json +readable/, /^checkpoints.* readable/, /has no hashes of its files/]);
  const { checkpoint } = runFiles(folder);
  const bytes = readFileSync(checkpoint);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(checkpoint, bytes);
  t.match(verified(folder).error?.message, /damaged \(checksum\)/);
  t.match(verified(join(folder, "none")).error?.message, /cannot read .*record\.json/);
});

t.test("the files of a quantized file are held against its record", async (t) => {
  const content = { "model.onnx": "the model", "bits.json": "{}" };
  const files = Object.entries(content).map(([path, text]) => ({
    ...{ path, bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") },
  }));
  const folder = t.testdir({ ...content, "quantized.json": JSON.stringify({ ...quantizedRecord(), files }) });
  const whole = verified(folder);
  t.equal(whole.error, null);
  t.strictSame(
    whole.lines.map((line) => line.split(/ +/).slice(0, 2)),
    [
      ["quantized.json", "readable;"],
      ["model.onnx", "whole"],
      ["bits.json", "whole"],
    ],
  );
  writeFileSync(join(folder, "bits.json"), "[]");
  rmSync(join(folder, "model.onnx"));
  t.match(verified(folder).error, {
    name: "UserError",
    message: "model.onnx is missing, bits.json is damaged; restore them, or quantize again with --force",
  });
  writeFileSync(join(folder, "quantized.json"), JSON.stringify({ ...quantizedRecord(), files: [] }));
  t.match(verified(folder).lines.at(-1), "has no hashes of its files");
});
