import type { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf, UserError } from "../core/errors.ts";
import { ort } from "../core/onnx-runtime.ts";
import type { EncodedModel } from "./encode-model.ts";

/** What goes into a file: float32, bytes, or the numbers of tokens. */
export type FileInputValues = Float32Array | Uint8Array | Int32Array;

/** A tensor that goes into a file. */
export interface FileTensor {
  readonly values: FileInputValues | BigInt64Array | readonly boolean[];
  readonly shape: readonly number[];
}

/** A tensor as the runtime takes and gives it. */
export type RuntimeTensor = Tensor;

/** What the runtime says of an input or output. */
export interface RuntimeValue {
  readonly name: string;
  /** As "float32" or "int64"; null: it is no tensor. */
  readonly type: Tensor.Type | null;
  /** A name is a free size. */
  readonly shape: readonly (number | string)[];
}

/** Name and version of the runtime, as records print it. */
export const runtimeName = `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`;

const FATAL = 4;

export interface SessionOptions {
  /** Threads of the runtime; one per core if left out. */
  readonly threads?: number;
  /** Whether the runtime may rewrite the graph: "basic" computes constants, "all" makes integer kernels too. */
  readonly optimization?: "disabled" | "basic" | "all";
  /** Whether its threads turn while they wait for work, as they do if left out: quicker by a little, at twice the processor time. */
  readonly spinning?: boolean;
}

/** A model with any inputs and outputs, loaded in onnxruntime on the CPU. */
export class FileSession implements AsyncDisposable {
  readonly #session: InferenceSession;
  readonly #file: string;

  private constructor(session: InferenceSession, file: string) {
    this.#session = session;
    this.#file = file;
  }

  /**
   * @param file Its name in messages.
   * @throws UserError when the runtime refuses it.
   */
  static async load(
    model: EncodedModel | Uint8Array | string,
    file: string,
    options: SessionOptions = {},
  ): Promise<FileSession> {
    ort.env.logLevel = "fatal";
    const { threads, optimization = "all", spinning = true } = options;
    const settings: InferenceSession.SessionOptions = {
      ...(threads !== undefined && { intraOpNumThreads: threads }),
      interOpNumThreads: 1,
      logSeverityLevel: FATAL,
      graphOptimizationLevel: optimization,
      ...(!spinning && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    };
    let session: InferenceSession;
    try {
      session = await createSession(model, settings);
    } catch (error) {
      throw new UserError(`${file}: ${runtimeName} cannot load it: ${wordsOf(error)}`, { cause: error });
    }
    // The runtime looks values up in plain objects.
    const taken = [...session.inputNames, ...session.outputNames].find((name) => name in Object.prototype);
    if (taken === undefined) return new FileSession(session, file);
    await session.release();
    throw new UserError(
      `${file}: ${runtimeName} for Node cannot hand over a value named "${taken}": give it another name`,
    );
  }

  /** A tensor for {@link run}. */
  static tensor(data: FileTensor["values"], shape: readonly number[]): RuntimeTensor {
    if (data instanceof Int32Array) return new ort.Tensor("int32", data, shape);
    if (data instanceof BigInt64Array) return new ort.Tensor("int64", data, shape);
    if (!ArrayBuffer.isView(data)) return new ort.Tensor("bool", data, shape);
    return data instanceof Uint8Array ? new ort.Tensor("uint8", data, shape) : new ort.Tensor("float32", data, shape);
  }

  get inputs(): readonly RuntimeValue[] {
    return this.#session.inputMetadata.map(describe);
  }

  get outputs(): readonly RuntimeValue[] {
    return this.#session.outputMetadata.map(describe);
  }

  /**
   * @param wanted Names of the outputs to compute; all of them if left out.
   * @throws UserError when the model cannot run on these inputs.
   */
  async run(
    inputs: Readonly<Record<string, RuntimeTensor>>,
    wanted?: readonly string[],
  ): Promise<ReadonlyMap<string, RuntimeTensor>> {
    try {
      const results = await (wanted ? this.#session.run(inputs, wanted) : this.#session.run(inputs));
      return new Map(Object.entries(results));
    } catch (error) {
      const sizes = Object.values(inputs).map(({ dims }) => dims.join(" x "));
      const what = `${this.#file}: ${runtimeName} cannot run it on an input of ${sizes.join(", ")}`;
      throw new UserError(`${what}: ${wordsOf(error)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

/** A session of the runtime itself. @throws what the runtime throws. */
export function createSession(
  model: EncodedModel | Uint8Array | string,
  settings: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  // A path and bytes are two signatures of one function.
  if (typeof model === "string") return ort.InferenceSession.create(model, settings);
  if (model instanceof Uint8Array) return ort.InferenceSession.create(model, settings);
  const externalData = model.beside.map(({ location, data }) => ({ path: location, data }));
  return ort.InferenceSession.create(model.bytes, { ...settings, externalData });
}

/** Places in the runtime's own sources, with the function that stands there. */
const sourcePlaces = /\S+\.(?:cc|h):\d+ (?:[\w:<>*&~, ]*::[\w~<>]+\([^()\n]*\)|\w+)(?: const)? /g;

/** What the runtime says, in one line, without the places in its sources. */
const wordsOf = (error: unknown): string => messageOf(error).replace(sourcePlaces, "").replace(/\s+/g, " ").trim();

const describe = (value: InferenceSession.ValueMetadata): RuntimeValue =>
  value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: null, shape: [] };
