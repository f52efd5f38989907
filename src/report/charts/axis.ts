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
  const ticks = asLogarithm ? logarithmicTicks(least, most) : linearTicks(start, start + length);
  return { at, ticks: ticks.filter((tick) => at(tick) >= 0 && at(tick) <= 1), logarithmic: asLogarithm };
}

/** Some five round numbers. */
function linearTicks(start: number, end: number): readonly number[] {
  const rough = (end - start) / 5;
  const power = powerOfTen(Math.floor(Math.log10(rough)));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(start / step);
  const count = Math.floor(end / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** 1, 2 and 5 times powers of ten; powers alone where there are many. */
function logarithmicTicks(least: number, most: number): readonly number[] {
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: high - low + 1 }, (_, index) => low + index).flatMap((power) =>
    factors.map((factor) => Number((factor * powerOfTen(power)).toPrecision(1))),
  );
}
