import { availableParallelism } from "node:os";
import { type FileInputValues, FileSession, type FileTensor, runtimeName } from "../onnx/file-session.ts";

export { runtimeName };

export interface RuntimeOptions {
  /** Threads of the runtime; one per core if left out. */
  readonly threads?: number | undefined;
  /** Whether it may rewrite the graph; it does if left out. */
  readonly optimized?: boolean;
  /** Whether its runs are timed: its threads then wait for work as they would for users. Other runs leave the processor free. */
  readonly timed?: boolean;
}

/** Values of an output: float32, or the codes of an 8-bit activation. */
export type RuntimeValues = Float32Array | Uint8Array | Int8Array;

/** An output as it came out. */
interface ShapedValues {
  readonly values: RuntimeValues;
  readonly shape: readonly number[];
}

/** What goes into a file, by input. */
export type FileTensors = ReadonlyMap<string, FileTensor>;

/** A file, loaded in onnxruntime on the CPU. Call `release` at the end. */
export class RuntimeModel {
  readonly #session: FileSession;
  readonly #input: string;
  readonly threads: number;

  private constructor(session: FileSession, threads: number) {
    this.#session = session;
    this.#input = session.inputs[0]?.name ?? "input";
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
    { threads = availableParallelism(), optimized = true, timed = false }: RuntimeOptions = {},
  ): Promise<RuntimeModel> {
    const optimization = optimized ? "all" : "disabled";
    return new RuntimeModel(await FileSession.load(model, file, { threads, optimization, spinning: timed }), threads);
  }

  /**
   * Runs a batch: `values` in the order of `shape`, [batch, channels, height, width] or [batch, tokens]; bytes where the
   * model takes uint8. Gives every output by name.
   *
   * @throws UserError when the model does not take this input.
   */
  async run(values: FileInputValues, shape: readonly number[]): Promise<ReadonlyMap<string, RuntimeValues>> {
    return this.runAll(new Map([[this.#input, { values, shape }]]));
  }

  /** The same of a file that may have several inputs, by their names. */
  async runAll(inputs: FileTensors): Promise<ReadonlyMap<string, RuntimeValues>> {
    const results = await this.#run(inputs);
    return new Map(Array.from(results, ([name, { values }]) => [name, values]));
  }

  /** The same of the first output alone, with its shape. */
  async runFirst(inputs: FileTensors): Promise<ShapedValues> {
    const [output] = (await this.#run(inputs)).values();
    return output ?? { values: new Float32Array(), shape: [0] };
  }

  async #run(inputs: FileTensors): Promise<ReadonlyMap<string, ShapedValues>> {
    const given = Array.from(inputs, ([name, { values, shape }]) => [name, FileSession.tensor(values, shape)]);
    const results = await this.#session.run(Object.fromEntries(given));
    // The runtime types its data by all that a tensor can hold: these are numbers.
    return new Map(
      Array.from(results, ([name, { data, dims }]) => [name, { values: data as RuntimeValues, shape: dims }]),
    );
  }

  async release(): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
