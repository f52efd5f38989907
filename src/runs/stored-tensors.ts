import type { StoredTensor } from "./safetensors.ts";

/** A row of numbers in float64. */
export const storedNumbers = (numbers: readonly number[]): StoredTensor => ({
  shape: [numbers.length],
  values: Float64Array.from(numbers),
});

/** The tensors with a prefix before each name. */
export const putUnder = (
  prefix: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> => new Map(Array.from(tensors, ([name, tensor]) => [`${prefix}${name}`, tensor]));

/** Those whose names begin with a prefix, without it: what {@link putUnder} was given. */
export const takeUnder = (
  prefix: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> =>
  new Map(
    Array.from(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
