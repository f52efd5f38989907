import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { messageOf, UserError } from "../base/errors.ts";
import { recordSchema } from "./record.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.ts";

/** Version of the checkpoint's content. */
const VERSION = 1;

const progress = z.object({
  epoch: z.int().nonnegative().describe("whole epochs done"),
  batch: z.int().nonnegative().describe("batches done of the epoch in progress"),
  step: z.int().nonnegative(),
  sums: z
    .object({
      images: z.number(),
      loss: z.number(),
      crossEntropy: z.number(),
      complexity: z.number(),
      correct: z.number(),
    })
    .describe("over the batches done of the epoch in progress"),
});

const state = z.object({
  version: z.literal(VERSION, { error: "written by another version of this program" }),
  progress,
  record: recordSchema,
});

/** Where a run stands. */
export type Progress = z.infer<typeof progress>;

/** Everything that a run needs to go on as if it had never stopped: tensors, position, and the record so far. */
export interface Checkpoint extends z.infer<typeof state> {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** SHA-256 over the state and every tensor's name and bytes, in order. */
function checksum(json: string, tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash("sha256").update(json);
  for (const [name, { values }] of tensors) {
    hash.update(name).update(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

/**
 * Writes a checkpoint: safetensors for the tensors (weights and moments F32, gates and ranges F64), JSON for the rest
 * in its metadata, with a checksum over both.
 */
export function writeCheckpoint(path: string, { tensors, progress, record }: Omit<Checkpoint, "version">): void {
  const json = JSON.stringify({ version: VERSION, progress, record });
  const metadata = { format: "bayesian-bits-checkpoint", state: json, sha256: checksum(json, tensors) };
  writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

/** @throws UserError when the file cannot be read, is damaged, or was written by another version. */
export function readCheckpoint(path: string): Checkpoint {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read the checkpoint ${path}: ${messageOf(error)}`, { cause: error });
  }
  const { tensors, metadata } = decodeSafetensors(bytes, `the checkpoint ${path}`);
  if (metadata.format !== "bayesian-bits-checkpoint")
    throw new UserError(`${path} is not a checkpoint of this program`);
  const json = metadata.state ?? "";
  if (checksum(json, tensors) !== metadata.sha256) {
    throw new UserError(`cannot read the checkpoint ${path}: it is damaged (checksum); train again with --force`);
  }
  const parsed = state.safeParse(JSON.parse(json));
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0]!;
    throw new UserError(`cannot read the checkpoint ${path}: ${at.join(".")}: ${message}`);
  }
  return { ...parsed.data, tensors };
}
