import { powerOfTen } from "../../core/powers.ts";
/** A scale from values to 0…1, with the values that are labelled. */
export interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
  readonly logarithmic: boolean;
}

/** Values that span more than this factor are drawn on a logarithmic axis. */
const linearSpan = 8;

/** Free space at both ends, as a share of the axis. */
const margin = 0.06;

/** An axis on which all values fit; logarithmic where they span much and are positive, if that is wanted. */
export function axisOf(
  values: readonly number[],
  { logarithmic = false }: { readonly logarithmic?: boolean } = {},
): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const asLogarithm = logarithmic && least > 0 && most / least > linearSpan;
  const to = asLogarithm ? Math.log10 : (value: number) => value;
  const span = to(most) - to(least) || Math.abs(to(most)) * 0.1 || 1;
  const [start, length] = [to(least) - span * margin, span * (1 + 2 * margin)];
  const at = (value: number) => (to(value) - start) / length;
  const ticks = asLogarithm
    ? logarithmicTicks([least, most], [tenTo(start), tenTo(start + length)])
    : linearTicks(start, start + length);
  return { at, ticks: ticks.filter((tick) => at(tick) >= 0 && at(tick) <= 1), logarithmic: asLogarithm };
}

/** An axis on which what lies outside stands a little inside its ends. */
export const heldAxis = (axis: Axis): Axis => ({
  ...axis,
  at: (value) => Math.max(0.03, Math.min(0.97, axis.at(value))),
});

/** The same number on every version of Node, as `**` is not. */
const tenTo = (exponent: number): number => Math.exp(exponent * Math.LN10);

/** Some five round numbers, or twice as many. */
function linearTicks(start: number, end: number, parts: 5 | 10 = 5): readonly number[] {
  const rough = (end - start) / parts;
  const power = powerOfTen(Math.floor(Math.log10(rough)));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(start / step);
  const count = Math.floor(end / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

type Ends = readonly [least: number, most: number];

/**
 * Labels between the ends of a logarithmic axis, by the span of its values: 1, 2 and 5 times powers of ten, powers alone
 * where there are many; where that leaves fewer than three, all multiples of a power, and of a narrow span round numbers
 * as on a linear axis.
 */
export function logarithmicTicks([least, most]: Ends, ends: Ends = [least, most]): readonly number[] {
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const inside = (tick: number) => tick >= ends[0] * (1 - 1e-9) && tick <= ends[1] * (1 + 1e-9);
  const powers = Array.from({ length: high - low + 1 }, (_, index) => powerOfTen(low + index));
  const of = (factors: readonly number[]) =>
    powers
      .flatMap((power) => factors.map((factor) => Number((factor * power).toPrecision(1))))
      .filter((tick, index, all) => inside(tick) && all.indexOf(tick) === index);
  const coarse = of(high - low > 3 ? [1] : [1, 2, 5]);
  if (coarse.length >= leastLabels) return coarse;
  const fine = of([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  if (fine.length >= leastLabels) return fine;
  const even = linearTicks(...ends).filter(inside);
  return even.length >= leastLabels ? even : linearTicks(...ends, 10).filter(inside);
}

/** Two labels do not tell a logarithmic axis from a linear one. */
const leastLabels = 3;
