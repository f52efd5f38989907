import { signedText } from "../../tasks/metric.ts";

const narrowSpace = "\u202f";
const groups = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12345 → "12,345". */
export const integer = (value: number): string => groups.format(value);

/** Fixed digits: 99.0612 → "99.06". */
export const fixed = (value: number, digits = 2): string => value.toFixed(digits);

/** Significant digits without an exponent where that is readable: 0.40771 → "0.408", 1234.5 → "1,230". */
export function significant(value: number, digits = 3): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 1e-4) return value.toExponential(digits - 1).replace(/\.?0+e/, "e");
  return new Intl.NumberFormat("en-US", { maximumSignificantDigits: digits }).format(value);
}

/** 99.0612 → "99.06 %". */
export const percent = (value: number, digits = 2): string => `${value.toFixed(digits)}${narrowSpace}%`;

/** Share of a whole, in percent; 0 of 0 is 0. */
export const share = (part: number, whole: number): number => (whole === 0 ? 0 : (100 * part) / whole);

/** 36912 → "36.9 kB" (1 kB = 1,000 bytes). */
export function bytes(value: number): string {
  if (value < 1000) return `${value}${narrowSpace}B`;
  const [unit, size] = value < 1e6 ? ["kB", 1e3] : value < 1e9 ? ["MB", 1e6] : (["GB", 1e9] as const);
  const shown = value / Number(size);
  return `${shown < 100 ? shown.toPrecision(3) : integer(shown)}${narrowSpace}${unit}`;
}

/** 1 → "1 thread", 2 → "2 threads". */
export const threadCount = (count: number): string => `${integer(count)} ${count === 1 ? "thread" : "threads"}`;

/** How many times smaller: 63.2 → "63.2×". */
export const times = (ratio: number): string => `${significant(ratio)}×`;

/** Seconds → "3 min 12 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${significant(seconds)}${narrowSpace}s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0
    ? `${hours}${narrowSpace}h ${minutes}${narrowSpace}min`
    : `${minutes}${narrowSpace}min ${rest}${narrowSpace}s`;
}

/** ISO time → "2026-03-01 10:31 UTC"; what is no time stays as it is. */
export function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Signed difference in percentage points: "−0.09 points", "±0.00 points". */
export const points = (difference: number): string => `${signedText({ digits: 2 }, difference)} points`;
