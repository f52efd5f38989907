import { at } from "../../core/elements.ts";

/**
 * Average precision of a ranking: Σ_n (R_n - R_{n-1})·P_n over the falling thresholds n, with recall R and precision P of
 * all samples at or above each (as scikit-learn's; ties are one threshold). Null where no sample is positive.
 *
 * Example: scores 0.9, 0.8, 0.7 of positive, negative, positive → 1/2·1 + 1/2·2/3 = 5/6.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number>): number | null {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index).sort(
    (one, other) => at(scores, other) - at(scores, one),
  );
  let [found, seen, sum, before] = [0, 0, 0, 0];
  order.forEach((sample, rank) => {
    seen++;
    if (at(positive, sample) === 1) found++;
    const isLast = rank + 1 === order.length || at(scores, at(order, rank + 1)) !== at(scores, sample);
    if (!isLast) return;
    sum += (found - before) * (found / seen);
    before = found;
  });
  return found === 0 ? null : sum / found;
}
