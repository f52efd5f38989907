import type { Distribution } from "../config/sections/sweep-settings.ts";
import { first } from "../core/elements.ts";
import { power } from "../core/powers.ts";
import { uniforms } from "../core/random.ts";

/** Which draw of a sweep: its seed, the setting, and the number of the run. */
export interface DrawKey {
  readonly seed: number;
  readonly path: string;
  readonly run: number;
}

/** Digits of a drawn number: a run's name shows the whole of it. */
const DIGITS = 4;

/** A value for one setting of one run: a function of the key, whatever else is drawn. */
export function draw(distribution: Distribution, { seed, path, run }: DrawKey): unknown {
  const share = first(uniforms({ seed, stream: `sweep ${path}`, counter: run }, 1));
  if ("choice" in distribution) return distribution.choice[Math.floor(share * distribution.choice.length)];
  if ("int" in distribution) {
    const [low, high] = distribution.int;
    return low + Math.floor(share * (high - low + 1));
  }
  if ("uniform" in distribution) {
    const [low, high] = distribution.uniform;
    return rounded(low + share * (high - low), distribution.uniform);
  }
  const [low, high] = distribution.logUniform;
  return rounded(low * power(high / low, share), distribution.logUniform);
}

const rounded = (value: number, [low, high]: readonly [number, number]): number =>
  Math.min(high, Math.max(low, Number(value.toPrecision(DIGITS))));
