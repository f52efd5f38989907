import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { messageOf, UserError } from "../../../core/errors.ts";
import type { Recipe } from "./decode-image.ts";
import type { FileContent } from "./file-contents.ts";

/** Images that one worker reads at a time. */
export interface Chunk {
  readonly id: number;
  readonly epoch: number | null;
  /** Numbers of the images, from which their random changes are drawn. */
  readonly indices: Uint32Array;
  readonly paths: readonly string[];
  /** Of their masks; null: they have none. */
  readonly masks: readonly string[] | null;
}

export interface DecodedChunk {
  readonly id: number;
  /** [paths, height, width, channels]; zeros where an image is damaged. */
  readonly images: Uint8Array;
  /** [paths, height, width]; empty where they have none. */
  readonly masks: Uint8Array;
  /** What each image's file held; null where it could not be read. */
  readonly contents: readonly (FileContent | null)[];
  /** The same of masks; undefined where none was looked at. */
  readonly maskContents: readonly (FileContent | null | undefined)[];
  readonly damaged: readonly { readonly position: number; readonly reason: string }[];
}

interface Member {
  readonly worker: Worker;
  /** Why it reads no more. */
  ended: UserError | null;
  readonly waiting: Map<number, { resolve(chunk: DecodedChunk): void; reject(error: Error): void }>;
}

/**
 * Threads that read and decode images beside training. They hold work of their own, so that they go on while the
 * thread that trains is busy, and keep the process alive only as long as something is asked of them.
 */
export class DecodePool {
  readonly #members: readonly Member[];
  #asked = 0;

  constructor(recipe: Recipe, workers: number) {
    this.#members = Array.from({ length: workers }, () => startMember(recipe));
  }

  /** Reads images, on the thread with the least to do. @throws UserError when the thread has ended. */
  decode(chunk: Omit<Chunk, "id">): Promise<DecodedChunk> {
    const id = this.#asked++;
    const { worker, waiting, ended } = this.#members.reduce((least, member) =>
      member.waiting.size < least.waiting.size ? member : least,
    );
    if (ended !== null) return Promise.reject(ended);
    worker.ref();
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...chunk } satisfies Chunk);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#members.map(({ worker }) => {
        // An answer that comes now would let the process go before the thread has ended, and with it who waits for that.
        worker.removeAllListeners("message");
        return worker.terminate();
      }),
    );
  }
}

function startMember(recipe: Recipe): Member {
  // The built program has .js here, tests .ts.
  const script = new URL(`./decode-worker${extname(import.meta.url)}`, import.meta.url);
  const member: Member = { worker: new Worker(script, { workerData: recipe }), ended: null, waiting: new Map() };
  const { worker, waiting } = member;
  worker.on("message", (decoded: DecodedChunk) => {
    waiting.get(decoded.id)?.resolve(decoded);
    waiting.delete(decoded.id);
    if (waiting.size === 0) worker.unref();
  });
  const end = (reason: string): void => {
    member.ended ??= new UserError(`cannot read images: ${reason}`);
    for (const { reject } of waiting.values()) reject(member.ended);
    waiting.clear();
  };
  worker.on("error", (error) => end(messageOf(error)));
  worker.on("exit", (code) => end(`a reading thread has ended (code ${code})`));
  // Last of all: whoever listens for messages keeps the process alive with it.
  worker.unref();
  return member;
}
