import { digitsText, type Metric, signedText } from "../../tasks/metric.ts";
import { wilsonInterval } from "../../tasks/wilson-interval.ts";
import { fixed, integer, percent } from "./format.ts";

type Appearance = Pick<Metric, "unit" | "digits">;

/** A name at the start of a phrase: top-1 → "Top-1". */
export const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** A figure's value: "99.06 %", "0.01235", "12 images". */
export function shown({ unit, digits }: Appearance, value: number): string {
  if (unit === "%") return percent(value, digits ?? 2);
  return `${digits === 0 ? integer(value) : digitsText({ digits }, value)}${unit === "" ? "" : ` ${unit}`}`;
}

/** What stands behind a difference: percentages differ by points. */
const differenceUnit = ({ unit }: Appearance): string => (unit === "%" ? " points" : unit === "" ? "" : ` ${unit}`);

/** A signed difference of two values: "−0.09 points", "+0.0021". */
export const differenceText = (metric: Appearance, difference: number): string =>
  `${signedText(metric, difference)}${differenceUnit(metric)}`;

/** The 95 % interval of a share of so many images, in percent; null for other metrics. */
export const intervalOf = ({ isShare }: Pick<Metric, "isShare">, value: number, images: number) =>
  isShare ? wilsonInterval(value, images) : null;

/** Its ends: "98.91–99.18"; "–" where there is none. */
export const intervalText = (interval: readonly [number, number] | null): string =>
  interval === null ? "–" : interval.map((end) => fixed(end)).join("–");

/** Ends of a difference's interval: "−0.41 to +0.13"; "–" where there is none. */
export const signedIntervalText = (
  metric: Pick<Metric, "digits">,
  interval: readonly [number, number] | null,
): string => (interval === null ? "–" : interval.map((end) => signedText(metric, end)).join(" to "));

/** The same with its unit: "−0.41 to +0.13 points". */
export const differenceIntervalText = (metric: Appearance, interval: readonly [number, number] | null): string =>
  `${signedIntervalText(metric, interval)}${interval === null ? "" : differenceUnit(metric)}`;
