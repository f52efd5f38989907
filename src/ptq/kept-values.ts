import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../core/errors.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { bytesOf } from "./output-numbers.ts";

/** Numbers of float32 are on disk, and take no more there. */
const MOST_ON_DISK = 2 ** 32;
/** What is of another type is in memory, and takes no more there. */
const MOST_IN_MEMORY = 2 ** 27;

interface Place {
  readonly position: number;
  readonly dims: readonly number[];
  readonly length: number;
}

/**
 * Values of a model's inside, run by run. What is on disk has a file without a name, which is gone with the process,
 * however that ends.
 */
export class KeptValues implements AsyncDisposable {
  readonly #runs: { readonly held: ReadonlyMap<string, RuntimeTensor>; readonly places: ReadonlyMap<string, Place> }[] =
    [];
  #file: FileHandle | null = null;
  #onDisk = 0;
  #inMemory = 0;

  /** Keeps the values of the next run. @returns Whether there was room. */
  async add(values: ReadonlyMap<string, RuntimeTensor>): Promise<boolean> {
    const held = new Map<string, RuntimeTensor>();
    const places = new Map<string, Place>();
    try {
      for (const [name, tensor] of values) {
        const { data, dims } = tensor;
        if (data instanceof Float32Array) {
          places.set(name, { position: this.#onDisk, dims, length: data.length });
          if (this.#onDisk + data.byteLength > MOST_ON_DISK) return false;
          this.#file ??= await nameless();
          await writeAll(this.#file, data, this.#onDisk);
          this.#onDisk += data.byteLength;
        } else held.set(name, tensor);
      }
    } catch (error) {
      // A full disk, or none that may be written: what is kept saves time alone.
      if (codeOf(error) === undefined) throw error;
      return false;
    }
    this.#inMemory += bytesOf(held);
    this.#runs.push({ held, places });
    return this.#inMemory <= MOST_IN_MEMORY;
  }

  /** Those of `names` that were kept of a run. */
  async ofRun(index: number, names: Iterable<string>): Promise<ReadonlyMap<string, RuntimeTensor>> {
    const run = this.#runs[index];
    const found = new Map<string, RuntimeTensor>();
    for (const name of names) {
      const place = run?.places.get(name);
      const tensor = place ? await this.#read(place) : run?.held.get(name);
      if (tensor) found.set(name, tensor);
    }
    return found;
  }

  async #read({ position, dims, length }: Place): Promise<RuntimeTensor> {
    const values = new Float32Array(length);
    const bytes = new Uint8Array(values.buffer);
    let read = 0;
    while (read < bytes.length) {
      const { bytesRead = 0 } = (await this.#file?.read(bytes, { offset: read, position: position + read })) ?? {};
      if (bytesRead === 0) throw new Error("what was kept of a run is gone");
      read += bytesRead;
    }
    return FileSession.tensor(values, dims);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}

async function writeAll(file: FileHandle, values: Float32Array, position: number): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function nameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `bayesian-bits-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  return file;
}
