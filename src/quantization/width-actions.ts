import { roundHalfEven } from "./grid.ts";
import { clamp } from "./weight-grid.ts";

/** Bit-widths that an action chooses from, rising. */
export type Widths = readonly number[];

/**
 * The whole number from `lowest` to `highest` that an action in [0, 1] stands for: round((highest - lowest + 1)·action +
 * lowest - 0.5), halves to the even one, so that each has an interval of the same length (Wang et al., CVPR 2019, HAQ).
 * Not clamped: an action of 0 or 1 lies on a half, and may round to `lowest` - 1 or to an even neighbour.
 */
export const roundedAction = (action: number, lowest: number, highest: number): number =>
  roundHalfEven((highest - lowest + 1) * action + lowest - 0.5);

/** The width that an action in [0, 1] chooses: each has an interval of the same length, and the order is kept. */
export const widthOf = (action: number, widths: Widths): number =>
  widths[clamp(roundedAction(action, 0, widths.length - 1), 0, widths.length - 1)] ?? 0;

/** The middle of the interval of actions that choose this one of the widths. */
export const actionOf = (width: number, widths: Widths): number =>
  (Math.max(0, widths.indexOf(width)) + 0.5) / widths.length;

/** The action that stands for a number of bits between two widths: on the straight line between their middles. */
export function actionBetween(bits: number, widths: Widths): number {
  const above = widths.findIndex((width) => width >= bits);
  const [low, high] = [widths[above - 1], widths[above]];
  if (high === undefined) return 1;
  if (low === undefined) return actionOf(high, widths);
  return actionOf(low, widths) + (bits - low) / (high - low) / widths.length;
}
