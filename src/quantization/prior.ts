import { at, first } from "../core/elements.ts";
import { openProbability } from "./hard-concrete.ts";
import { bitWidths, type PerGate, perGate } from "./levels.ts";

/** The parameters of one quantizer's gates. */
export interface GateParameters {
  /** phi of z_4, z_8, z_16, z_32. */
  readonly phi: ArrayLike<number>;
  /** phi of z_2, one per output channel; null where channels cannot be pruned. */
  readonly prune: ArrayLike<number> | null;
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
  readonly gradient: PerGate<number>;
  readonly pruneGradient: Float64Array | null;
}

/**
 * Complexity R_k = Σ_b λ_b·Π_{b' <= b} q(z_b' > 0) of one quantizer and its gradients. With pruning gates it is the
 * mean over output channels; without, the 2-bit term is the constant 1.
 */
export function complexity({ phi, prune }: GateParameters, { kind, macShare }: PriorWeight): Complexity {
  const costs = bitWidths.map((bits) => (kind === "const" ? 1 : bits * macShare));
  const open = Array.from(phi, openProbability);
  // Per unit of q(z_2 > 0): λ_2 + q_4·(λ_4 + q_8·(λ_8 + …)), from the innermost level outwards.
  let inner = 0;
  const sums: number[] = [];
  for (let level = 3; level >= 0; level--) {
    inner = costs[level + 1]! + (level < 3 ? open[level + 1]!.value * inner : 0);
    sums[level] = inner;
  }
  const perChannel = (prune === null ? 1 : first(costs)) + first(open).value * first(sums);

  const channels = prune === null ? null : Array.from(prune, openProbability);
  const kept = channels === null ? 1 : channels.reduce((sum, { value }) => sum + value, 0) / channels.length;
  let outer = kept;
  const gradient = perGate((level) => {
    const { value, derivative } = at(open, level);
    const slope = outer * derivative * at(sums, level);
    outer *= value;
    return slope;
  });
  return {
    value: kept * perChannel,
    gradient,
    pruneGradient:
      channels && Float64Array.from(channels, ({ derivative }) => (derivative * perChannel) / channels.length),
  };
}
