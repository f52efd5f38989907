import { at } from "../core/elements.ts";
import { broadcast } from "../network/onnx/strided.ts";

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
  const { strides } = broadcast(shape, larger) ?? { strides: [] };
  return (index) => {
    let [rest, place] = [index, 0];
    for (let axis = larger.length - 1; axis >= 0; axis--) {
      place += (rest % at(larger, axis)) * at(strides, axis);
      rest = Math.floor(rest / at(larger, axis));
    }
    return place;
  };
}
