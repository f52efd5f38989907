import { broadcast, placesOf } from "../network/onnx/strided.ts";

/** Reads one element of one sample's value, counted through all axes. */
export type Elements = (index: number) => number;

export interface ReadExactly {
  /** What the node reads, in order: also exactly, where `elements` are magnitudes. */
  readonly inputs: readonly {
    readonly elements: Elements;
    readonly exact: Elements;
    readonly shape: readonly number[];
  }[];
  /** Whether every term counts with its absolute value. */
  readonly magnitudes: boolean;
}

/** Where an element of a larger shape stands in one that is repeated to it, aligned at their ends. */
export function repeatedPlace(shape: readonly number[], larger: readonly number[]): (index: number) => number {
  const view = broadcast(shape, larger);
  if (view === null) throw new Error(`[${shape}] cannot be repeated to [${larger}]`);
  return placesOf(view);
}
