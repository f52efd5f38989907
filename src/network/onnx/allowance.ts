import type { TensorProto } from "./attributes.ts";
import { Damaged } from "./problems.ts";

/**
 * How many numbers may be made of a file's: constants that are computed, weights in another order, copies for layers
 * that share one. What a network needs is a few times what its file holds; a file of a few bytes could ask for any
 * amount.
 */
export class Allowance {
  readonly #limit: number;
  #taken = 0;

  constructor(tensors: Iterable<TensorProto>) {
    let held = 0;
    for (const tensor of tensors) held += numbersIn(tensor);
    this.#limit = 12 * held + 2 ** 22;
  }

  /** @throws Damaged past the limit. */
  take(numbers: number): void {
    this.#taken += numbers;
    if (this.#taken > this.#limit)
      throw new Damaged(`makes more than ${this.#limit} numbers of those that the file holds`);
  }
}

/** Numbers that a tensor brings along, whatever its shape says. */
const numbersIn = ({ rawData, floatData, int32Data, int64Data }: TensorProto): number =>
  (rawData?.length ?? 0) / 4 + (floatData?.length ?? 0) + (int32Data?.length ?? 0) + (int64Data?.length ?? 0);
