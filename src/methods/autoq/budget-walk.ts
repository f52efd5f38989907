import { at } from "../../core/elements.ts";
import { UserError } from "../../core/errors.ts";
import type { Widths } from "../../quantization/width-actions.ts";

/** What a walk lowers, in the order in which it does: of each layer the activation first, the last layer first. */
export interface WalkPlace {
  /** What it may get, rising. */
  readonly widths: Widths;
  /** What it has in any case, once a walk has begun. */
  readonly pinned?: number;
}

export interface WalkOptions {
  readonly places: readonly WalkPlace[];
  /** Never grows when a width shrinks. */
  readonly cost: (widths: readonly number[]) => number;
  readonly limit: number;
}

/**
 * The widths lowered, one width at a time and each place in turn, until they cost no more than the limit: HAQ's walk
 * (Wang et al., CVPR 2019). It looks after every change. Widths that cost no more as they are stay, pinned places too.
 *
 * @throws UserError where not even the lowest widths, pinned ones as they are, meet the limit: HAQ's walk has no end there.
 */
export function walkIntoBudget(widths: readonly number[], { places, cost, limit }: WalkOptions): readonly number[] {
  if (cost(widths) <= limit) return widths;
  requireReachable({ places, cost, limit });
  const walked = [...widths];
  for (;;) {
    for (const [index, place] of places.entries()) {
      walked[index] = nextBelow(at(walked, index), place.widths);
      pin(walked, places);
      if (cost(walked) <= limit) return walked;
    }
  }
}

/** What the lowest widths cost, pinned ones as they are. */
export const lowestCost = ({ places, cost }: Pick<WalkOptions, "places" | "cost">): number =>
  cost(places.map(({ widths, pinned }) => pinned ?? at(widths, 0)));

/** @throws UserError where not even the lowest widths meet the limit. */
export function requireReachable({ places, cost, limit }: WalkOptions): void {
  const least = lowestCost({ places, cost });
  if (least <= limit) return;
  throw new UserError(
    `cannot meet the budget: the lowest bit-widths cost ${Number(least.toPrecision(4))}, method.target is ${limit}; raise it`,
  );
}

/** The next lower width; the lowest stays, as does one below it. */
const nextBelow = (width: number, widths: Widths): number => widths.findLast((lower) => lower < width) ?? width;

function pin(walked: number[], places: readonly WalkPlace[]): void {
  for (const [index, { pinned }] of places.entries()) if (pinned !== undefined) walked[index] = pinned;
}
