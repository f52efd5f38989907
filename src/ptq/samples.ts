import type { Tensor } from "onnxruntime-node";
import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { permutation } from "../core/random.ts";
import { shortenNames } from "../core/shorten.ts";
import { elementsOf } from "../graph/shape.ts";
import type { RuntimeTensor, RuntimeValue } from "../onnx/file-session.ts";
import { inputTypes, type SampleData } from "./sample-types.ts";

/** Numbers of one of the model's inputs, the samples along the first axis. */
export interface SampleArray {
  readonly shape: readonly number[];
  readonly data: SampleData;
  /** What the model is given of the samples of a run, where that is not the numbers themselves. */
  convert?(data: SampleData): SampleData;
}

/** How many samples a run has, and how many of them count: the last is repeated where the model takes no fewer. */
export interface RunSize {
  readonly batch: number;
  readonly count: number;
}

/** What a run gets. */
export interface SampleBatch extends RunSize {
  readonly inputs: Record<string, RuntimeTensor>;
  /** Class indices of those that count; null: they have none. */
  readonly labels: Int32Array | null;
}

/** Samples of one run where the model leaves the number open. */
const BATCH = 16;

interface Feed {
  readonly name: string;
  readonly type: Tensor.Type;
  readonly array: SampleArray;
  /** Whether the samples are the input's own first axis. */
  readonly batched: boolean;
}

/** Inputs of a model, sample by sample. */
export class Samples {
  readonly count: number;
  /** Samples of one run; the last may have fewer. */
  readonly batchSize: number;
  readonly #feeds: readonly Feed[];
  /** Whether the model takes runs of so many samples alone. */
  readonly #isFixed: boolean;
  readonly #labels: Int32Array | null;

  private constructor(
    feeds: readonly Feed[],
    {
      count,
      batchSize,
      isFixed,
      labels,
    }: { count: number; batchSize: number; isFixed: boolean; labels: Int32Array | null },
  ) {
    this.#feeds = feeds;
    this.#labels = labels;
    this.count = count;
    this.batchSize = batchSize;
    this.#isFixed = isFixed;
  }

  /**
   * @param source What the arrays came from, in messages.
   * @param labels A class index for each sample.
   * @param most Samples of one run at most, where the model leaves the number open.
   * @throws UsageError that names the input, what the file says and what was given.
   */
  static of(
    inputs: readonly RuntimeValue[],
    arrays: ReadonlyMap<string, SampleArray>,
    source: string,
    labels: Int32Array | null = null,
    most = BATCH,
  ): Samples {
    const missing = inputs.filter(({ name }) => !arrays.has(name));
    const [sole] = arrays.values();
    // One array for one input needs no name.
    const given = inputs.length === 1 && arrays.size === 1 && sole ? () => sole : (name: string) => arrays.get(name);
    if (missing.length > 0 && !(inputs.length === 1 && arrays.size === 1)) {
      throw new UsageError(
        `${source}: has no array for the input ${missing.map(describeInput).join(" and ")}; it has ${shortenNames([...arrays.keys()])}`,
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
      const { name, type } = input;
      if (!fits || type === null) {
        throw new UsageError(
          `${source}: the input ${describeInput(input)} got an array of [${shape}]: expected the samples on the first axis, then what the file says`,
        );
      }
      const problem = array.convert === undefined ? inputTypes[type].problem(array.data) : null;
      if (problem !== null) throw new UsageError(`${source}: the input ${describeInput(input)} got ${problem}`);
      return { name, type, array, batched };
    });
    const counts = feeds.map(({ array }) => array.shape[0] ?? 0);
    const count = Math.min(...counts);
    if (counts.some((other) => other !== count)) {
      throw new UsageError(`${source}: its arrays have different numbers of samples: ${counts.join(", ")}`);
    }
    if (count === 0) throw new UsageError(`${source}: has no samples`);
    if (labels !== null && labels.length !== count) {
      throw new UsageError(`${source}: has ${labels.length} labels for ${count} samples`);
    }
    const batched = feeds.every((feed) => feed.batched);
    const several = batched ? -1 : feeds.findIndex((feed, at) => feed.batched && Number(inputs[at]?.shape[0]) > 1);
    const mixed = inputs[several];
    if (mixed !== undefined) {
      throw new UsageError(
        `${source}: other inputs have the samples on an axis of their own, so that a run takes one, and ${describeInput(mixed)} wants several: give it [samples, ${mixed.shape}] too`,
      );
    }
    const fixed = inputs.flatMap(({ shape: [first] }) => (batched && typeof first === "number" ? first : []));
    const isFixed = fixed.length > 0;
    const batchSize = isFixed ? Math.min(...fixed) : batched ? Math.min(count, most) : 1;
    if (batchSize === 0) {
      throw new UsageError(`${source}: runs have no samples, by the inputs ${inputs.map(describeInput).join(" and ")}`);
    }
    return new Samples(feeds, { count, batchSize, isFixed, labels });
  }

  /** Which samples, in the order of the seed. */
  order(seed: number): Uint32Array {
    return permutation({ seed, stream: "samples", counter: 0 }, this.count);
  }

  /**
   * Runs over samples, in this order.
   *
   * @param most Samples of a run, where it may have fewer than `batchSize`.
   */
  async *batches(order: Uint32Array, most = this.batchSize): AsyncGenerator<SampleBatch> {
    const size = this.#isFixed ? this.batchSize : Math.min(this.batchSize, most);
    for (let from = 0; from < order.length; from += size) {
      const chosen = order.subarray(from, from + size);
      const labels = this.#labels && Int32Array.from(chosen, (sample) => this.#labels?.[sample] ?? 0);
      const batch = this.#isFixed ? this.batchSize : chosen.length;
      yield { inputs: this.#inputs(chosen, batch), batch, count: chosen.length, labels };
    }
  }

  /** The model's inputs for some samples, of which the last is repeated where the run needs more. */
  #inputs(chosen: Uint32Array, batch: number): Record<string, RuntimeTensor> {
    const picked = Array.from({ length: batch }, (_, index) => at(chosen, Math.min(index, chosen.length - 1)));
    return Object.fromEntries(
      this.#feeds.map(({ name, array, batched, type }) => {
        const own = array.shape.slice(1);
        const data = gather(array.data, picked, elementsOf(own));
        const shape = batched ? [picked.length, ...own] : own;
        return [name, inputTypes[type].tensor(array.convert?.(data) ?? data, shape)];
      }),
    );
  }
}

/** An input with what the file says of it, in messages. */
export const describeInput = ({ name, type, shape }: RuntimeValue): string =>
  `${JSON.stringify(name)} (${type ?? "no tensor"} [${shape}])`;

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
