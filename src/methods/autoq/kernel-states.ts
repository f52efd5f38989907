import { at, last } from "../../core/elements.ts";
import { clamp } from "../../quantization/weight-grid.ts";
import { layerStateSize } from "./layer-state.ts";
import type { SearchSpace, Unit } from "./search-space.ts";

/** Numbers of the high-level controller's state: a layer's own, and what was decided for the layer before it. */
export const goalStateSize = layerStateSize + 2;

/** Numbers of the low-level controller's: see {@link kernelStates}. */
export const kernelStateSize = layerStateSize + 6;

/** What was decided for a layer, in shares of the widest. */
export interface LayerDecision {
  readonly activation: number;
  /** Mean bits that its kernels should have. */
  readonly goal: number;
}

/** What the high-level controller sees before a layer. */
export function goalState({ layers }: SearchSpace, layer: number, before: LayerDecision | null): Float32Array {
  const state = new Float32Array(goalStateSize);
  state.set(at(layers, layer).state);
  state.set([before?.goal ?? 1, before?.activation ?? 1], layerStateSize);
  return state;
}

/** What the low-level controller sees before the unit that comes behind those whose bits are known. */
export const kernelState = (
  space: SearchSpace,
  layer: number,
  decision: LayerDecision,
  bits: readonly number[],
): Float32Array =>
  kernelStates(space, layer, { goals: [decision.goal], activation: decision.activation }, [...bits, 0], [bits.length]);

/**
 * What the low-level controller sees before units of a layer, all of them under one goal and then under the next: the
 * layer's numbers, the unit's place and variance, the goal, the activation's bits, those of the unit before it, and the mean
 * that the units left must have to meet the goal; bits in shares of the widest.
 *
 * @param bits Of the units from the first on.
 * @param wanted Which units.
 */
export function kernelStates(
  { layers, weightWidths }: SearchSpace,
  layer: number,
  { goals, activation }: { readonly goals: ArrayLike<number>; readonly activation: number },
  bits: readonly number[],
  wanted: readonly number[] = Array.from(bits.keys()),
): Float32Array {
  const { state, units, outputs } = at(layers, layer);
  const widest = last(weightWidths);
  const before = kernelsBefore(units, bits);
  const states = new Float32Array(goals.length * wanted.length * kernelStateSize);
  let row = 0;
  for (let index = 0; index < goals.length; index++) {
    const goal = goals[index]!;
    for (const unit of wanted) {
      const { given, kernels } = at(before, unit);
      const needed = (goal * outputs - given / widest) / (outputs - kernels);
      states.set(state, row);
      states[row + layerStateSize] = unit / units.length;
      states[row + layerStateSize + 1] = at(units, unit).variance;
      states[row + layerStateSize + 2] = goal;
      states[row + layerStateSize + 3] = activation;
      states[row + layerStateSize + 4] = unit === 0 ? goal : at(bits, unit - 1) / widest;
      states[row + layerStateSize + 5] = clamp(needed, 0, 1);
      row += kernelStateSize;
    }
  }
  return states;
}

/** Before each unit: the bits of all kernels together, and how many these are. */
function kernelsBefore(units: readonly Unit[], bits: readonly number[]) {
  let [given, kernels] = [0, 0];
  return bits.map((width, unit) => {
    const before = { given, kernels };
    const { length } = at(units, unit).rows;
    given += width * length;
    kernels += length;
    return before;
  });
}
