import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { cacheFolder } from "../../core/cache-folder.ts";
import { UserError } from "../../core/errors.ts";
import type { LoadedFile } from "../file-runtime.ts";
import type { RuntimeValues } from "../runtime.ts";

/** The version that files are verified in. */
const PACKAGE = "ai-edge-litert==2.3.0";

const environment = () => cacheFolder("onnx-python");
const pythonOf = (folder: string) => join(folder, "bin", "python");

/** Beside this file, or in the sources where that has been compiled. */
const script = fileURLToPath(new URL("../../../src/export/tflite/litert.py", import.meta.url));

/** The kernels that run a file: XNNPACK's where it has any, LiteRT's own, or its portable ones. */
export type LiteRtKernels = "default" | "own" | "reference";

/** Why LiteRT cannot run here; null when it can. */
export function liteRtMissing(): string | null {
  const folder = environment();
  const libraries = join(folder, "lib");
  const versions = existsSync(libraries) ? readdirSync(libraries) : [];
  const packages = versions.map((version) => join(libraries, version, "site-packages", "ai_edge_litert"));
  if (packages.some((path) => existsSync(path))) return null;
  return (
    `LiteRT, which verifies TensorFlow Lite files, is not in ${folder}: make it with ` +
    `python3 -m venv ${folder} && ${join(folder, "bin", "pip")} install ${PACKAGE}`
  );
}

const started = z.object({ version: z.string() });
const loaded = z.object({ model: z.int() });
const failed = z.object({ error: z.string() });
const outcome = z.object({
  outputs: z.array(z.object({ name: z.string(), type: z.enum(["float32", "int8", "uint8"]), bytes: z.int() })),
});

const arrays = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

/** LiteRT in a Python process of its own. Call `stop` at the end. */
export class LiteRt {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #unread: Uint8Array = new Uint8Array();
  #complaints = "";
  #version = "";
  /** The requests are answered in turn. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(process: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#process = process;
    this.#chunks = process.stdout[Symbol.asyncIterator]();
    // A process that has ended shows by its missing answer.
    process.stdin.on("error", () => {});
    process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2000);
    });
  }

  /** @throws UserError when it is not here, or cannot start. */
  static async start(): Promise<LiteRt> {
    const missing = liteRtMissing();
    if (missing !== null) throw new UserError(missing);
    const child = spawn(pythonOf(environment()), [script], { stdio: ["pipe", "pipe", "pipe"] });
    await once(child, "spawn");
    const runtime = new LiteRt(child);
    const { header } = await runtime.#answer();
    runtime.#version = started.parse(header).version;
    return runtime;
  }

  /** Name and version, as records print it. */
  get name(): string {
    return `LiteRT ${this.#version}`;
  }

  /**
   * Loads a file's bytes; `file` is its name in messages.
   *
   * @throws UserError when it is refused.
   */
  async load(
    bytes: Uint8Array,
    file: string,
    {
      threads = 1,
      kernels = "default",
    }: { readonly threads?: number | undefined; readonly kernels?: LiteRtKernels } = {},
  ): Promise<LoadedFile> {
    const { header } = await this.#request(
      { do: "load", threads, kernels },
      bytes,
      `${file}: ${this.name} cannot load it`,
    );
    const { model } = loaded.parse(header);
    return {
      run: async (values, shape) => {
        const images = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        const what = `${file}: ${this.name} cannot run it on an input of ${shape.join(" x ")}`;
        const { header, data } = await this.#request({ do: "run", model, shape }, images, what);
        let start = 0;
        return new Map(
          outcome.parse(header).outputs.map(({ name, type, bytes: size }): [string, RuntimeValues] => {
            // A copy begins where any array may.
            const own = new Uint8Array(data.subarray(start, start + size));
            start += size;
            return [name, new arrays[type](own.buffer)];
          }),
        );
      },
      release: async () => {
        await this.#request({ do: "release", model }, new Uint8Array(), `${file}: ${this.name} cannot release it`);
      },
    };
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await ended;
  }

  #request(header: Readonly<Record<string, unknown>>, data: Uint8Array, what: string): Promise<Answer> {
    const send = async (): Promise<Answer> => {
      const text = new TextEncoder().encode(JSON.stringify({ ...header, bytes: data.length }));
      const size = new Uint8Array(4);
      new DataView(size.buffer).setUint32(0, text.length, true);
      for (const part of [size, text, data]) this.#process.stdin.write(part);
      const answer = await this.#answer();
      const { success, data: failure } = failed.safeParse(answer.header);
      if (success) throw new UserError(`${what}: ${failure.error}`);
      return answer;
    };
    const answer = this.#last.then(send, send);
    this.#last = answer;
    return answer;
  }

  async #answer(): Promise<Answer> {
    const size = await this.#read(4);
    const length = new DataView(size.buffer, size.byteOffset).getUint32(0, true);
    const header: unknown = JSON.parse(new TextDecoder().decode(await this.#read(length)));
    const { success, data: found } = outcome.safeParse(header);
    const bytes = success ? found.outputs.reduce((sum, { bytes }) => sum + bytes, 0) : 0;
    return { header, data: await this.#read(bytes) };
  }

  async #read(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size; ) {
      if (this.#unread.length === 0) this.#unread = await this.#nextChunk();
      const part = this.#unread.subarray(0, size - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#unread = this.#unread.subarray(part.length);
    }
    return bytes;
  }

  async #nextChunk(): Promise<Uint8Array> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new UserError(`LiteRT has ended: ${this.#complaints.trim() || "it gave no reason"}`);
    return value;
  }
}

interface Answer {
  readonly header: unknown;
  /** Of all outputs, one after the other. */
  readonly data: Uint8Array;
}
