import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { availableMemory } from "../core/available-memory.ts";
import { cacheFolder } from "../core/cache-folder.ts";
import { UserError } from "../core/errors.ts";
import { sha256Of } from "../core/file-hash.ts";
import type { Reporter } from "../core/progress.ts";
import { readWholeFile } from "../core/read-file.ts";
import type { ByteBatch, Split } from "../data/dataset.ts";
import { decodeSafetensors, encodeSafetensors } from "../runs/safetensors.ts";
import type { Teacher } from "../training/float-teacher.ts";

/** Bytes of a sample's SHA-256 that tell it from others. */
const HASH = 16;
/** Samples that the teacher sees at a time: always the same, as their number may change last digits. */
const BATCH = 128;
const format = "bayesian-bits-teacher-outputs";

const metadataSchema = z.object({
  format: z.literal(format),
  samples: z.base64().describe("hashes of samples, one behind the other"),
  sha256: z.string().describe("of these and of the outputs"),
});

/** What decides a teacher's outputs: two of the same give the same numbers, bit for bit. */
export type OutputsKey = Readonly<Record<string, unknown>>;

/** What decoding gives; where the file is none, with what to do. */
function decodedBy<T>(decode: () => T, damaged: (what: string) => UserError): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof UserError) throw damaged(error.message);
    throw error;
  }
}

/**
 * A teacher's outputs for all samples of a data set, which the machine's cache keeps for every epoch and run: found by
 * what a sample holds, wherever it stands.
 */
export class TeacherOutputs {
  /** Row by sample. */
  readonly #rows: ReadonlyMap<string, number>;
  /** [samples, outputs] */
  readonly #values: Float32Array;

  private constructor(rows: ReadonlyMap<string, number>, values: Float32Array) {
    this.#rows = rows;
    this.#values = values;
  }

  /** Those that are on disk; null: none are, or not for just this teacher and data. @throws UserError where they are damaged. */
  static read(key: OutputsKey): TeacherOutputs | null {
    const path = pathOf(key);
    return existsSync(path) ? TeacherOutputs.decode(readWholeFile(path), path) : null;
  }

  /** @throws UserError where they are not what was written. */
  static decode(bytes: Buffer, place: string): TeacherOutputs {
    const damaged = (what: string) => new UserError(`cannot read ${place}: ${what}; remove it, and it is made again`);
    const { tensors, metadata } = decodedBy(() => decodeSafetensors(bytes, place), damaged);
    const parsed = metadataSchema.safeParse(metadata);
    const values = tensors.get("outputs")?.values;
    if (!parsed.success || !(values instanceof Float32Array)) throw damaged("it holds no outputs of a teacher");
    const hashes = Buffer.from(parsed.data.samples, "base64");
    const count = hashes.length / HASH;
    if (parsed.data.sha256 !== sha256Of([hashes, bytesOf(values)]))
      throw damaged("it is damaged: its checksum is another");
    if (!Number.isInteger(count) || count === 0 || values.length === 0 || values.length % count !== 0)
      throw damaged(`it is damaged: ${values.length} outputs of ${count} samples`);
    const rows = Array.from({ length: count }, (_, row) => {
      const sample = hashes.toString("base64", row * HASH, (row + 1) * HASH);
      return [sample, row] as const;
    });
    return new TeacherOutputs(new Map(rows), values);
  }

  /**
   * Asks the teacher once for each sample, and writes what it gives, whole or not at all.
   *
   * @throws UserError where memory does not hold them, or they cannot be written.
   */
  static async make(
    key: OutputsKey,
    {
      teacher,
      splits,
      outputs,
      reporter,
      free = availableMemory(),
    }: {
      readonly teacher: Teacher;
      readonly splits: readonly Split[];
      /** Values for each sample. */
      readonly outputs: number;
      readonly reporter: Reporter;
      /** Bytes that they may take. */
      readonly free?: number;
    },
  ): Promise<TeacherOutputs> {
    const path = pathOf(key);
    const count = splits.reduce((sum, split) => sum + split.count, 0);
    // Once as they are, once as the file.
    const bytes = 2 * Float32Array.BYTES_PER_ELEMENT * count * outputs;
    if (bytes > free) {
      throw new UserError(
        `training.loss.cache: ${outputs} outputs of ${count} samples take ${gib(bytes)} GiB, and ${gib(free)} GiB of memory are free: leave cache away`,
      );
    }
    reporter.info(`the teacher's outputs for ${count} samples are computed once, into ${path}`);
    const rows = new Map<string, number>();
    const parts: Float32Array[] = [];
    for (const split of splits) {
      for await (const batch of split.batches({ batchSize: BATCH })) {
        if (batch.count === 0) continue;
        const values = await teacher.outputs(batch);
        for (const [index, sample] of samplesOf(batch).entries()) {
          if (rows.has(sample)) continue;
          rows.set(sample, rows.size);
          parts.push(values.slice(index * outputs, (index + 1) * outputs));
        }
      }
    }
    const values = new Float32Array(parts.length * outputs);
    for (const [row, part] of parts.entries()) values.set(part, row * outputs);
    writeFileAtomically(path, encodeOutputs([...rows.keys()], values));
    return new TeacherOutputs(rows, values);
  }

  /** [count, outputs]; null where a sample is another one now. */
  of(batch: Pick<ByteBatch, "count" | "images">): Float32Array | null {
    const width = this.#values.length / this.#rows.size;
    const found = new Float32Array(batch.count * width);
    for (const [index, sample] of samplesOf(batch).entries()) {
      const row = this.#rows.get(sample);
      if (row === undefined) return null;
      found.set(this.#values.subarray(row * width, (row + 1) * width), index * width);
    }
    return found;
  }
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

const pathOf = (key: OutputsKey): string =>
  cacheFolder("teacher-outputs", `${sha256Of([Buffer.from(JSON.stringify(key))])}.safetensors`);

const samplesOf = ({ count, images }: Pick<ByteBatch, "count" | "images">): readonly string[] => {
  const size = images.length / count;
  return Array.from({ length: count }, (_, index) =>
    createHash("sha256")
      .update(images.subarray(index * size, (index + 1) * size))
      .digest()
      .toString("base64", 0, HASH),
  );
};

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function encodeOutputs(samples: readonly string[], values: Float32Array): Uint8Array {
  const hashes = Buffer.concat(samples.map((sample) => Buffer.from(sample, "base64")));
  const tensors = new Map([["outputs", { shape: [samples.length, values.length / samples.length], values }]]);
  const sha256 = sha256Of([hashes, bytesOf(values)]);
  return encodeSafetensors(tensors, { format, samples: hashes.toString("base64"), sha256 });
}
