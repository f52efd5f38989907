import { wholePower } from "../core/powers.ts";
/** How a learning rate changes over the epochs. */
export type Schedule =
  | { readonly name: "constant" }
  | { readonly name: "linear-decay" }
  | { readonly name: "cosine" }
  | { readonly name: "multistep"; readonly milestones: readonly number[]; readonly factor: number };

/**
 * Multiplier of the base rate at `moment`, in epochs counted from 0, of `epochs`. `linear-decay` is the authors':
 * constant, then linear to 0 over the last third, one value an epoch (docs/method.md, "Training"). `cosine` falls
 * from batch to batch.
 */
export function multiplier(schedule: Schedule, moment: number, epochs: number): number {
  const epoch = Math.floor(moment);
  switch (schedule.name) {
    case "constant":
      return 1;
    case "linear-decay":
      return linearDecay(epoch, epochs);
    case "cosine":
      return (1 + Math.cos((Math.PI * moment) / epochs)) / 2;
    case "multistep":
      return wholePower(schedule.factor, schedule.milestones.filter((milestone) => epoch >= milestone).length);
  }
}

function linearDecay(epoch: number, epochs: number): number {
  const start = Math.floor((2 * epochs) / 3);
  return epoch <= start ? 1 : 1 - (epoch - start) / (epochs - start);
}
