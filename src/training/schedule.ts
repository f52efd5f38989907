import { wholePower } from "../core/powers.ts";
/** How a learning rate changes over the epochs. */
export type Schedule =
  | { readonly name: "constant" }
  | { readonly name: "linear-decay" }
  | { readonly name: "cosine" }
  | { readonly name: "multistep"; readonly milestones: readonly number[]; readonly factor: number }
  | { readonly name: "one-cycle"; readonly warmUp: number; readonly start: number };

/**
 * Multiplier of the base rate at `moment`, in epochs counted from 0, of `epochs`. `linear-decay` is the authors':
 * constant, then linear to 0 over the last third, one value an epoch (docs/method.md, "Training"). `cosine` falls
 * from batch to batch; `one-cycle` rises by half a cosine and falls by another (Smith and Topin, 2018, arXiv 1708.07120).
 */
export function multiplier(schedule: Schedule, moment: number, epochs: number): number {
  const epoch = Math.floor(moment);
  switch (schedule.name) {
    case "constant":
      return 1;
    case "linear-decay":
      return linearDecay(epoch, epochs);
    case "cosine":
      return fallen(moment / epochs);
    case "multistep":
      return wholePower(schedule.factor, schedule.milestones.filter((milestone) => epoch >= milestone).length);
    case "one-cycle": {
      const { warmUp, start } = schedule;
      const share = moment / epochs;
      if (share < warmUp) return 1 - (1 - start) * fallen(share / warmUp);
      return fallen((share - warmUp) / (1 - warmUp));
    }
  }
}

/** Half a cosine from 1 to 0, over 0 to 1. */
const fallen = (share: number): number => (1 + Math.cos(Math.PI * share)) / 2;

function linearDecay(epoch: number, epochs: number): number {
  const start = Math.floor((2 * epochs) / 3);
  return epoch <= start ? 1 : 1 - (epoch - start) / (epochs - start);
}
