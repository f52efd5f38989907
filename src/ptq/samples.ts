import type { Tensor } from "onnxruntime-node";
import { UsageError } from "../core/errors.ts";
import { ort } from "../core/onnx-runtime.ts";
import { permutation } from "../core/random.ts";
import { shortenNames } from "../core/shorten.ts";
import { elementsOf } from "../graph/shape.ts";
import type { RuntimeTensor, RuntimeValue } from "../onnx/file-session.ts";

/** Numbers of one of the model's inputs, the samples along the first axis. */
export interface SampleArray {
  readonly shape: readonly number[];
  readonly data: SampleData;
}

export type SampleData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array;

/** Samples of one run where the model leaves the number open. */
const BATCH = 16;

interface Feed extends RuntimeValue {
  readonly array: SampleArray;
  /** Whether the samples are the input's own first axis. */
  readonly batched: boolean;
}

/** Inputs of a model, sample by sample. */
export class Samples {
  readonly count: number;
  /** Samples of one run. */
  readonly batchSize: number;
  readonly #feeds: readonly Feed[];

  private constructor(feeds: readonly Feed[], count: number, batchSize: number) {
    this.#feeds = feeds;
    this.count = count;
    this.batchSize = batchSize;
  }

  /**
   * @param source What the arrays came from, in messages.
   * @throws UsageError that names the input, what the file says and what was given.
   */
  static of(inputs: readonly RuntimeValue[], arrays: ReadonlyMap<string, SampleArray>, source: string): Samples {
    const missing = inputs.filter(({ name }) => !arrays.has(name));
    const [sole] = arrays.values();
    // One array for one input needs no name.
    const given = inputs.length === 1 && arrays.size === 1 && sole ? () => sole : (name: string) => arrays.get(name);
    if (missing.length > 0 && !(inputs.length === 1 && arrays.size === 1)) {
      throw new UsageError(
        `${source}: has no array for the input ${missing.map(describe).join(" and ")}; it has ${shortenNames([...arrays.keys()])}`,
      );
    }
    const feeds = inputs.map((input): Feed => {
      const array = given(input.name);
      if (array === undefined) throw new Error(`${input.name} has no array`);
      const { shape } = array;
      const batched = shape.length === input.shape.length;
      const own = batched ? shape : shape.slice(1);
      const fits =
        own.length === input.shape.length &&
        own.every(
          (size, axis) =>
            typeof input.shape[axis] === "string" || size === input.shape[axis] || (batched && axis === 0),
        );
      if (!fits || input.type === null) {
        throw new UsageError(
          `${source}: the input ${describe(input)} got an array of [${shape}]: expected the samples on the first axis, then what the file says`,
        );
      }
      return { ...input, array, batched };
    });
    const counts = feeds.map(({ array }) => array.shape[0] ?? 0);
    const count = Math.min(...counts);
    if (counts.some((other) => other !== count)) {
      throw new UsageError(`${source}: its arrays have different numbers of samples: ${counts.join(", ")}`);
    }
    const fixed = feeds.flatMap(({ batched, shape }) => (batched && typeof shape[0] === "number" ? shape[0] : []));
    const batchSize = feeds.every(({ batched }) => batched)
      ? Math.min(count, ...fixed, ...(fixed.length > 0 ? [] : [BATCH]))
      : 1;
    if (count === 0) throw new UsageError(`${source}: has no samples`);
    return new Samples(feeds, count, batchSize);
  }

  /** Which samples, in the order of the seed. */
  order(seed: number): Uint32Array {
    return permutation({ seed, stream: "samples", counter: 0 }, this.count);
  }

  /** The model's inputs for some samples, at most `batchSize` of them; the last is repeated where a run needs more. */
  inputs(chosen: ArrayLike<number>): Record<string, RuntimeTensor> {
    return Object.fromEntries(
      this.#feeds.map(({ name, array, batched, type }) => {
        const size = elementsOf(array.shape.slice(1));
        const picked = Array.from(
          { length: this.batchSize },
          (_, index) => chosen[Math.min(index, chosen.length - 1)] ?? 0,
        );
        const rows = batched ? picked : picked.slice(0, 1);
        const data = gather(array.data, rows, size);
        const shape = batched ? [rows.length, ...array.shape.slice(1)] : array.shape.slice(1);
        return [name, toTensor(data, type ?? "float32", shape)];
      }),
    );
  }

  /** Runs over samples: what each run gets, and how many of its samples count. */
  *batches(order: Uint32Array): Generator<{ readonly inputs: Record<string, RuntimeTensor>; readonly count: number }> {
    for (let at = 0; at < order.length; at += this.batchSize) {
      const chosen = order.subarray(at, at + this.batchSize);
      yield { inputs: this.inputs(chosen), count: chosen.length };
    }
  }
}

const describe = ({ name, type, shape }: RuntimeValue): string => `"${name}" (${type ?? "no tensor"} [${shape}])`;

function gather(data: SampleData, rows: readonly number[], size: number): SampleData {
  const picked = data.slice(0, 0);
  // A typed array's constructor is that of its kind.
  const whole = new (picked.constructor as new (length: number) => SampleData)(rows.length * size);
  rows.forEach((row, index) => {
    // The same kind of array on both sides.
    (whole as Float32Array).set(data.subarray(row * size, (row + 1) * size) as Float32Array, index * size);
  });
  return whole;
}

/** The numbers as the type that the model takes. */
function toTensor(data: SampleData, type: Tensor.Type, shape: readonly number[]): RuntimeTensor {
  // All kinds of typed arrays are lists of numbers here.
  const numbers = () => Array.from(data as Float32Array, Number);
  switch (type) {
    case "float32":
      return new ort.Tensor("float32", Float32Array.from(numbers()), shape);
    case "float64":
      return new ort.Tensor("float64", Float64Array.from(numbers()), shape);
    case "int64":
      return new ort.Tensor(
        "int64",
        data instanceof BigInt64Array ? data : BigInt64Array.from(numbers(), BigInt),
        shape,
      );
    case "int32":
      return new ort.Tensor("int32", Int32Array.from(numbers()), shape);
    case "uint8":
      return new ort.Tensor("uint8", Uint8Array.from(numbers()), shape);
    case "int8":
      return new ort.Tensor("int8", Int8Array.from(numbers()), shape);
    case "bool":
      return new ort.Tensor("bool", numbers().map(Boolean), shape);
    default:
      throw new UsageError(`inputs of the type ${type} cannot be given yet`);
  }
}
