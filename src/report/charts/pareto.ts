/** What one pays, and what one gets for it. */
export interface Tradeoff {
  /** Less is better. */
  readonly cost: number;
  /** More is better. */
  readonly gain: number;
}

/** Whether `one` is at least as good as `other` in both, and better in one. */
export const dominates = (one: Tradeoff, other: Tradeoff): boolean =>
  one.cost <= other.cost && one.gain >= other.gain && (one.cost < other.cost || one.gain > other.gain);

/** The Pareto front: what nothing else dominates, by rising cost (and so by rising gain). Equal points are all on it. */
export function paretoFront<T extends Tradeoff>(points: readonly T[]): readonly T[] {
  const ordered = points.toSorted((one, other) => one.cost - other.cost || other.gain - one.gain);
  const front: T[] = [];
  for (const point of ordered) {
    const last = front.at(-1);
    const equal = last?.cost === point.cost && last.gain === point.gain;
    if (last === undefined || point.gain > last.gain || equal) front.push(point);
  }
  return front;
}
