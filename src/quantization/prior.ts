import { first } from "../core/elements.ts";
import { openProbability } from "./hard-concrete.ts";
import { bitWidths, gatedWidths, perGate } from "./levels.ts";

/** The parameters of one quantizer's gates. */
export interface GateParameters {
  /** phi of z_4, z_8, z_16, z_32: of each in turn, one for each group of channels that share their gates. */
  readonly phi: ArrayLike<number>;
  /** phi of z_2, one per output channel; null where channels cannot be pruned. */
  readonly prune: ArrayLike<number> | null;
  /** Neighbouring channels that share the gates of their levels, the last ones fewer. */
  readonly groups: { readonly channels: number; readonly size: number };
}

/** What one level costs: 1 (`const`), or b·MACs/max MACs (`bop`). */
export interface PriorWeight {
  readonly kind: "const" | "bop";
  /** Multiply-accumulates of the quantizer's layer, over the largest of the network; unused by `const`. */
  readonly macShare: number;
}

export interface Complexity {
  /** R_k of docs/method.md, "Objective", before the prior strength. */
  readonly value: number;
  /** By each of `phi`. */
  readonly gradient: Float64Array;
  readonly pruneGradient: Float64Array | null;
}

/**
 * Complexity R_k = Σ_b λ_b·Π_{b' <= b} q(z_b' > 0) of one quantizer and its gradients. With pruning gates, or gates of
 * levels for groups of channels, it is the mean over output channels; without pruning gates, the 2-bit term is the
 * constant 1.
 */
export function complexity({ phi, prune, groups }: GateParameters, { kind, macShare }: PriorWeight): Complexity {
  const costs = bitWidths.map((bits) => (kind === "const" ? 1 : bits * macShare));
  const count = phi.length / gatedWidths.length;
  const { channels, size } = groups;
  const gradient = new Float64Array(phi.length);
  const pruneGradient = prune === null ? null : new Float64Array(prune.length);
  const sums = new Float64Array(gatedWidths.length);
  let value = 0;
  for (let group = 0; group < count; group++) {
    const open = perGate((level) => openProbability(phi[level * count + group]!));
    // Per unit of q(z_2 > 0): λ_2 + q_4·(λ_4 + q_8·(λ_8 + …)), from the innermost level outwards.
    for (let level = gatedWidths.length - 1, inner = 0; level >= 0; level--) {
      sums[level] = costs[level + 1]! + inner;
      inner = open[level]!.value * sums[level]!;
    }
    const perChannel = (prune === null ? 1 : first(costs)) + first(open).value * first(sums);

    const [begin, end] = [group * size, Math.min((group + 1) * size, channels)];
    let kept = 0;
    for (let channel = begin; channel < end; channel++) {
      const gate = prune === null ? null : openProbability(prune[channel]!);
      kept += gate === null ? 1 : gate.value;
      if (gate !== null) pruneGradient![channel] = (gate.derivative * perChannel) / channels;
    }
    kept /= channels;
    let outer = kept;
    for (let level = 0; level < gatedWidths.length; level++) {
      const { value: probability, derivative } = open[level]!;
      gradient[level * count + group] = outer * derivative * sums[level]!;
      outer *= probability;
    }
    value += kept * perChannel;
  }
  return { value, gradient, pruneGradient };
}
