import { at } from "../../core/elements.ts";
import type { Widths } from "../../quantization/width-actions.ts";
import type { WalkPlace } from "./budget-walk.ts";

/** A layer as a search sees it. */
export interface SpaceLayer {
  readonly name: string;
  readonly outputs: number;
  /** Weights of one output channel. */
  readonly fanIn: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Numbers in float32 that are added behind it. */
  readonly biases: number;
  /** What tells it from the others, each within [0, 1]. */
  readonly state: Float32Array;
  /** Output channels whose bits are decided together: a partition of them, by rising variance. */
  readonly units: readonly Unit[];
  readonly activation: ActivationChoice;
}

/** Kernels that get one bit-width. Of a layer that can be pruned the unit whose weights vary most stays. */
export interface Unit {
  readonly rows: Uint32Array;
  /** What they may get, rising: 0 where they can be pruned. */
  readonly widths: Widths;
  /** How much their weights vary among all units of the network, within [0, 1]. */
  readonly variance: number;
}

/** Who decides the bits of what a layer reads: the first layer that reads it; or nobody, where it has no quantizer. */
export type ActivationChoice = { readonly decidedBy: number } | { readonly bits: number };

/** What a search chooses from. */
export interface SearchSpace {
  readonly layers: readonly SpaceLayer[];
  /** Rising. */
  readonly weightWidths: Widths;
  /** Rising. */
  readonly activationWidths: Widths;
}

/** Bit-widths of a network: of every output channel of every layer, and of what each layer reads. */
export interface Policy {
  readonly weights: readonly Uint8Array[];
  readonly activations: readonly number[];
}

/** The same by what is decided: of every unit of every layer. */
export interface Decisions {
  readonly units: readonly (readonly number[])[];
  readonly activations: readonly number[];
}

/** The bits of a layer's kernels, by those of its units. */
export const bitsPerKernel = (units: readonly Unit[], bits: readonly number[]): readonly number[] =>
  units.flatMap(({ rows }, unit) => Array.from(rows, () => at(bits, unit)));

export const isDeciding = ({ layers }: SearchSpace, layer: number): boolean => {
  const { activation } = at(layers, layer);
  return "decidedBy" in activation && activation.decidedBy === layer;
};

/** Every output channel has the bits of its unit. */
export function policyOf({ layers }: SearchSpace, { units, activations }: Decisions): Policy {
  return {
    weights: layers.map(({ outputs, units: groups }, layer) => {
      const bits = new Uint8Array(outputs);
      for (const [unit, { rows }] of groups.entries()) for (const row of rows) bits[row] = at(at(units, layer), unit);
      return bits;
    }),
    activations: [...activations],
  };
}

/** Where a decision stands: the activation of a layer, or one of its units. */
export interface Place extends WalkPlace {
  readonly layer: number;
  /** null: the activation. */
  readonly unit: number | null;
}

/** All that is decided, in the order in which a walk into the budget lowers it. */
export function placesOf(space: SearchSpace): readonly Place[] {
  const { layers, activationWidths } = space;
  return layers
    .flatMap(({ units }, layer): readonly Place[] => [
      ...(isDeciding(space, layer) ? [{ layer, unit: null, widths: activationWidths }] : []),
      ...units.map(({ widths }, unit) => ({ layer, unit, widths })),
    ])
    .toSorted((one, other) => other.layer - one.layer);
}

/** The widths of all places, in their order. */
export const widthsAt = (places: readonly Place[], { units, activations }: Decisions): readonly number[] =>
  places.map(({ layer, unit }) => (unit === null ? at(activations, layer) : at(at(units, layer), unit)));

/** Decisions with these widths at the places; a layer that reads what another one reads has its bits. */
export function decisionsOf({ layers }: SearchSpace, places: readonly Place[], widths: readonly number[]): Decisions {
  const decided = new Map<number, number>();
  const units = layers.map((layer) => layer.units.map(() => 0));
  for (const [index, { layer, unit }] of places.entries()) {
    const width = at(widths, index);
    if (unit === null) decided.set(layer, width);
    else at(units, layer)[unit] = width;
  }
  const activations = layers.map(({ activation }) =>
    "bits" in activation ? activation.bits : (decided.get(activation.decidedBy) ?? 0),
  );
  return { units, activations };
}
