import { power } from "../../core/powers.ts";
import { type RandomKey, uniforms } from "../../core/random.ts";

/** Noise while an agent explores, and its share that is left from one episode to the next (HAQ). */
const NOISE = 0.5;
const DECAY = 0.99;
/** Of draws that may fall outside, each does with a chance of less than 0.55. */
const ATTEMPTS = 24;

/** Standard deviation of an episode, counted from 0: constant in the warm-up. */
export const noiseAt = (episode: number, warmup: number): number => NOISE * power(DECAY, Math.max(0, episode - warmup));

/** A draw from the normal distribution around `mean`, which lies within [0, 1], cut to [0, 1]. */
export function truncatedNormal(key: RandomKey, mean: number, deviation: number): number {
  const drawn = uniforms(key, 2 * ATTEMPTS);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Box and Muller.
    const radius = Math.sqrt(-2 * Math.log(drawn[2 * attempt]!));
    const value = mean + deviation * radius * Math.cos(2 * Math.PI * drawn[2 * attempt + 1]!);
    if (value >= 0 && value <= 1) return value;
  }
  return mean;
}
