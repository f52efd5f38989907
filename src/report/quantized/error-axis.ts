import { decibels } from "../../core/decibels.ts";
import { type Axis, axisOf } from "../charts/axis.ts";
import { fixed } from "../page/format.ts";

/** An axis of errors, logarithmic where they span much; those of 0 lie a tenth below the least of the others. */
export function errorAxis(errors: readonly number[]): Axis {
  const positive = errors.filter((error) => error > 0);
  const floor = positive.length === 0 ? 1 : Math.min(...positive) / 10;
  const held = (error: number) => (error > 0 ? error : floor);
  const axis = axisOf(errors.map(held), { logarithmic: true });
  return { ...axis, at: (error) => axis.at(held(error)) };
}

/** A relative squared error as signal-to-noise ratio, in words. */
export const noiseOfError = (error: number): string =>
  error > 0 ? `${fixed(decibels(1 / error), 1)}\u202fdB` : "exact";
