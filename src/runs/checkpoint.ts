import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { z } from "zod";
import { first } from "../core/elements.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { logPlaceSchema, readLogged } from "./appended-log.ts";
import { withEpochsTo, withoutEpochs } from "./epoch-log.ts";
import { imageLogFile } from "./image-log.ts";
import { storedRecord } from "./record-versions.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.ts";

const FORMAT = "bayesian-bits-checkpoint";
/** Version of the checkpoint's content. */
const VERSION = "4";
/** The version whose records have their epochs in themselves, always. */
const WHOLE_VERSION = "3";
/** The version before there were tasks, which is read too. */
const CLASSIFIER_VERSION = "2";

const progress = z.object({
  epoch: z.int().nonnegative().describe("whole epochs done"),
  batch: z.int().nonnegative().describe("batches done of the epoch in progress"),
  step: z.int().nonnegative(),
  sums: z
    .object({
      images: z.number(),
      loss: z.number(),
      taskLoss: z.number(),
      complexity: z.number(),
      figures: z.record(z.string(), z.number()).describe("of the task"),
    })
    .describe("over the batches done of the epoch in progress"),
});

const state = z.object({
  progress,
  record: storedRecord,
  epochLog: logPlaceSchema.optional().describe("where the record's epochs are; absent where it has them itself"),
  imageLog: logPlaceSchema.optional().describe("where the images are that were read; absent where they are no files"),
});

/** The sums of a classifier, as they were before there were tasks. */
const classifierSums = z.object({
  images: z.number(),
  loss: z.number(),
  crossEntropy: z.number(),
  complexity: z.number(),
  correct: z.number(),
});
const classifierState = z.object({
  progress: progress.extend({ sums: classifierSums }),
  record: storedRecord,
});

/** The state that a version writes, as this one has it. */
const stateOf = (version: string) =>
  version !== CLASSIFIER_VERSION
    ? state
    : classifierState.transform(({ progress: { sums, ...place }, record }) => {
        const { images, loss, crossEntropy, complexity, correct } = sums;
        return {
          progress: { ...place, sums: { images, loss, taskLoss: crossEntropy, complexity, figures: { correct } } },
          record,
        };
      });

/** Where a run stands. */
export type Progress = z.infer<typeof progress>;

/** Everything that a run needs to go on as if it had never stopped: tensors, position, and the record so far. */
export interface Checkpoint extends z.infer<typeof state> {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** SHA-256 over the state and every tensor's name, type, shape and bytes, in order. */
function checksum(json: string, tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash("sha256").update(json);
  for (const [name, { shape, values }] of tensors) {
    hash.update(JSON.stringify([name, values.BYTES_PER_ELEMENT, shape]));
    hash.update(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

/**
 * A checkpoint as bytes: safetensors for the tensors (F32 for what the engine holds, F64 for what the host holds), JSON
 * for the rest in its metadata, with a checksum over both.
 *
 * @throws UserError that names a tensor that is not finite: no run can go on from it.
 */
export function encodeCheckpoint({ tensors, progress, record, epochLog, imageLog }: Checkpoint): Uint8Array {
  for (const [name, { values }] of tensors) {
    if (!values.every(Number.isFinite)) {
      throw new UserError(
        `not saved at step ${progress.step}: ${name} is not finite; lower the learning rates (training.weights.learningRate)`,
      );
    }
  }
  // Checked here too: what breaks the schema could not be read back.
  const stored = { progress, record: epochLog ? withoutEpochs(record) : record, epochLog, imageLog };
  const json = JSON.stringify(state.parse(stored));
  const metadata = { format: FORMAT, version: VERSION, state: json, sha256: checksum(json, tensors) };
  return encodeSafetensors(tensors, metadata);
}

/**
 * Reads what {@link encodeCheckpoint} gives.
 *
 * @param path Names the file in errors.
 * @throws UserError when it is damaged, no checkpoint, or written by another version.
 */
export function decodeCheckpoint(bytes: Buffer, path: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, `the checkpoint ${path}`);
  if (metadata.format !== FORMAT) throw new UserError(`${path} is not a checkpoint of this program`);
  const { version = "1" } = metadata;
  if (![VERSION, WHOLE_VERSION, CLASSIFIER_VERSION].includes(version)) {
    throw new UserError(
      `cannot read the checkpoint ${path}: it has version ${version}, and this program reads ${VERSION}; use the program that wrote it`,
    );
  }
  const json = metadata.state ?? "";
  if (checksum(json, tensors) !== metadata.sha256) {
    throw new UserError(`cannot read the checkpoint ${path}: it is damaged (checksum)`);
  }
  const parsed = stateOf(version).safeParse(parsedJson(json));
  if (!parsed.success) {
    throw new UserError(`cannot read the checkpoint ${path}: ${placeOf(parsed.error)}`);
  }
  return { ...parsed.data, tensors };
}

function placeOf({ issues }: z.ZodError): string {
  const { path, message } = first(issues);
  return `${path.join(".")}: ${message}`;
}

/** undefined, which no state is, where it is no JSON that this program writes. */
function parsedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads a checkpoint with its record's epochs.
 *
 * @param path In the run's folder of checkpoints.
 * @throws UserError when it, the run's epochs or its list of images cannot be read; see {@link decodeCheckpoint}.
 */
export function readCheckpoint(path: string): Checkpoint {
  const checkpoint = readCheckpointAlone(path);
  const { epochLog, imageLog, record } = checkpoint;
  const folder = dirname(dirname(path));
  if (imageLog !== undefined) readLogged(join(folder, imageLogFile), imageLog);
  if (epochLog === undefined) return checkpoint;
  const whole = storedRecord.safeParse(withEpochsTo(folder, epochLog, record));
  if (whole.success) return { ...checkpoint, record: whole.data };
  throw new UserError(`cannot read the checkpoint ${path}: ${placeOf(whole.error)}`);
}

/** A checkpoint wherever it lies: its record lacks the epochs that stand in the run's folder. */
export function readCheckpointAlone(path: string): Checkpoint {
  let bytes: Buffer;
  try {
    bytes = readWholeFile(path);
  } catch (error) {
    throw new UserError(`cannot read the checkpoint ${path}: ${messageOf(error)}`, { cause: error });
  }
  return decodeCheckpoint(bytes, path);
}
