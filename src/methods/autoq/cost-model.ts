import { at } from "../../core/elements.ts";
import { type LayerCost, relativeBitOperations } from "../../quantization/bit-operations.ts";
import { placeBits } from "../../quantization/row-groups.ts";
import type { Target } from "../method.ts";
import type { Decisions, SearchSpace } from "./search-space.ts";

/** What a policy costs, and what it may. Linear in every width while the others stay, and never falling in one. */
export interface CostModel {
  readonly limit: number;
  /** Whether bits of activations cost anything: they are no part of what is stored. */
  readonly countsActivations: boolean;
  cost(decisions: Decisions): number;
}

/**
 * How a target is counted: bit operations by output channel, Σ over layers of MACs/outputs · activation bits · Σ of the
 * channels' bits, in percent of those at 32 × 32 bits; or bytes of codes, float32 biases, and what each channel needs. A
 * run's account is no more: it also knows what pruned channels spare the layers behind.
 */
export function costModel({ layers, weightWidths }: SearchSpace, target: Target): CostModel {
  const sums = ({ units }: Decisions) =>
    layers.map((layer, index) =>
      layer.units.reduce((sum, { rows }, unit) => sum + rows.length * at(at(units, index), unit), 0),
    );
  if ("relativeBops" in target) {
    const costOf = (bits: number, layer: number, inputBits: number): LayerCost => {
      const { macs, outputs } = at(layers, layer);
      return { macs, weightBits: bits / outputs, inputBits, keptOutputs: 1, keptInputs: 1 };
    };
    return {
      limit: target.relativeBops,
      countsActivations: true,
      cost: (decisions) =>
        relativeBitOperations(
          sums(decisions).map((bits, layer) => costOf(bits, layer, at(decisions.activations, layer))),
        ),
    };
  }
  const constant = layers.reduce(
    (sum, { biases, outputs, units }) =>
      sum + 4 * biases + besides(outputs, units.length > 1 ? weightWidths.length : 1),
    0,
  );
  return {
    limit: target.sizeBytes,
    countsActivations: false,
    cost: (decisions) =>
      sums(decisions).reduce((sum, bits, index) => sum + (bits * at(layers, index).fanIn) / 8, constant),
  };
}

/**
 * Bytes of a weight beside the bits of its codes: codes of each width end with a whole byte; where channels have widths of
 * their own, each has a step and a place, as those of one width are packed together.
 */
const besides = (outputs: number, widths: number): number =>
  widths + (widths > 1 ? (4 + placeBits(outputs) / 8) * outputs : 0);
