import { availableParallelism } from "node:os";
import type { InferenceSession } from "onnxruntime-node";
import { messageOf, UserError } from "../core/errors.ts";
import { ort } from "../core/onnx-runtime.ts";

/** Name and version of the runtime, as records print it. */
export const runtimeName = `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`;

const FATAL = 4;

export interface RuntimeOptions {
  /** Threads of the runtime; one per core if left out. */
  readonly threads?: number | undefined;
  /** Whether it may rewrite the graph; it does if left out. */
  readonly optimized?: boolean;
}

/** Values of an output: float32, or the codes of an 8-bit activation. */
export type RuntimeValues = Float32Array | Uint8Array | Int8Array;

/** An ONNX file loaded in onnxruntime on the CPU. Call `release` at the end. */
export class RuntimeModel {
  readonly #session: InferenceSession;
  readonly #file: string;
  readonly threads: number;

  private constructor(session: InferenceSession, { file, threads }: { file: string; threads: number }) {
    this.#session = session;
    this.#file = file;
    this.threads = threads;
  }

  /**
   * Loads a model's bytes, or the file itself where other files hold its weights; `file` is its name in messages.
   *
   * @throws UserError when the runtime refuses it.
   */
  static async load(
    model: Uint8Array | string,
    file: string,
    { threads = availableParallelism(), optimized = true }: RuntimeOptions = {},
  ): Promise<RuntimeModel> {
    ort.env.logLevel = "fatal";
    try {
      const options = {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: FATAL,
        graphOptimizationLevel: optimized ? "all" : "disabled",
      } as const;
      // A path and bytes are two signatures of one function.
      const session = await (typeof model === "string"
        ? ort.InferenceSession.create(model, options)
        : ort.InferenceSession.create(model, options));
      return new RuntimeModel(session, { file, threads });
    } catch (error) {
      throw new UserError(`${file}: ${runtimeName} cannot load it: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Runs a batch: `values` in the order of `shape`, [batch, channels, height, width]; bytes where the model takes
   * uint8. Gives every output by name.
   *
   * @throws UserError when the model does not take this input.
   */
  async run(values: Float32Array | Uint8Array, shape: readonly number[]): Promise<ReadonlyMap<string, RuntimeValues>> {
    const [input] = this.#session.inputNames;
    const tensor =
      values instanceof Uint8Array ? new ort.Tensor("uint8", values, shape) : new ort.Tensor("float32", values, shape);
    try {
      const results = await this.#session.run({ [input ?? "input"]: tensor });
      // The runtime types its data by all that a tensor can hold: these are numbers.
      return new Map(Object.entries(results).map(([name, { data }]) => [name, data as RuntimeValues]));
    } catch (error) {
      const size = shape.join(" x ");
      throw new UserError(`${this.#file}: ${runtimeName} cannot run it on an input of ${size}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
