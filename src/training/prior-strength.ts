import type { Model } from "./model.ts";

/** The prior strength mu over a run. */
export interface PriorStrength {
  readonly value: number;
  /** What its next values depend on, for checkpoints; changed in place. */
  readonly state: Float64Array;
  /** Called after every step; `progress` is the part of the gates' learning that is done, from 0 to 1. */
  step(model: Pick<Model, "quantizers">, progress: number): void;
  /** Called once, before gates are fixed. */
  settle(model: Pick<Model, "quantizers">): void;
}

/** A strength that stays. */
export const constantStrength = (value: number): PriorStrength => ({
  value,
  state: new Float64Array(0),
  step: () => {},
  settle: () => {},
});
