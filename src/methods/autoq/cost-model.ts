import { at } from "../../core/elements.ts";
import type { Target } from "../method.ts";
import type { Decisions, SearchSpace, SpaceLayer } from "./search-space.ts";

/** What a policy costs, and what it may. Linear in every width while the others stay, and never falling in one. */
export interface CostModel {
  readonly limit: number;
  cost(decisions: Decisions): number;
}

/** Bytes of a channel beside its codes: its step, and one for its place, as channels of one width are packed together. */
const CHANNEL_BYTES = 5;

/**
 * How a target is counted: bit operations by output channel, Σ over layers of MACs/outputs · activation bits · Σ of the
 * channels' bits, in percent of those at 32 × 32 bits; or bytes of codes, float32 biases, and what each channel needs.
 */
export function costModel({ layers }: SearchSpace, target: Target): CostModel {
  const sums = ({ units }: Decisions) =>
    layers.map((layer, index) =>
      layer.units.reduce((sum, { rows }, unit) => sum + rows.length * at(at(units, index), unit), 0),
    );
  if ("relativeBops" in target) {
    const full = layers.reduce((sum, { macs }) => sum + 32 * 32 * macs, 0);
    return {
      limit: target.relativeBops,
      cost: (decisions) => (100 * bitOperationsOf(layers, sums(decisions), decisions.activations)) / full,
    };
  }
  const constant = layers.reduce(
    (sum, { biases, outputs, units }) => sum + 4 * biases + (units.length > 1 ? CHANNEL_BYTES * outputs : 0),
    0,
  );
  return {
    limit: target.sizeBytes,
    cost: (decisions) =>
      sums(decisions).reduce((sum, bits, index) => sum + (bits * at(layers, index).fanIn) / 8, constant),
  };
}

const bitOperationsOf = (
  layers: readonly SpaceLayer[],
  weightBits: readonly number[],
  activationBits: readonly number[],
): number =>
  layers.reduce(
    (sum, { macs, outputs }, index) => sum + (macs / outputs) * at(activationBits, index) * at(weightBits, index),
    0,
  );
