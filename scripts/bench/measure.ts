import type { BenchCase } from "./bench-case.ts";

export interface Effort {
  /** Rounds go on until this many seconds have passed. */
  readonly seconds: number;
  readonly minRounds: number;
  /** Timed steps of a case in each round. */
  readonly steps: number;
}

export const fullEffort: Effort = { seconds: 60, minRounds: 3, steps: 12 };
export const quickEffort: Effort = { seconds: 5, minRounds: 1, steps: 2 };

/** Above this many milliseconds a step needs no warming up after another case has had the caches. */
const SLOW_STEP = 500;
const WARM_UP_STEPS = 3;
/** Steps in which a case gets the caches back from the one before it. */
const SETTLING_STEPS = 3;

/**
 * Times cases in turns: in each round every case does a few steps, so that whatever else the machine does meets all of
 * them alike. The first steps of a case, and its first few in each round, are not counted.
 *
 * @returns Milliseconds of the counted steps, by case.
 */
export async function measure(
  cases: ReadonlyMap<string, BenchCase>,
  { seconds, minRounds, steps }: Effort,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>();
  const slow = new Set<string>();
  for (const [name, { run }] of cases) {
    times.set(name, []);
    const [first] = await run(1);
    const warmUp = first! > SLOW_STEP ? [first!] : await run(WARM_UP_STEPS);
    if (Math.min(...warmUp) > SLOW_STEP) slow.add(name);
  }
  const start = performance.now();
  for (let round = 0; round < minRounds || performance.now() - start < 1000 * seconds; round++) {
    for (const [name, { run }] of cases) {
      const counted = slow.has(name) ? await run(1) : (await run(steps + SETTLING_STEPS)).slice(SETTLING_STEPS);
      times.get(name)!.push(...counted);
    }
  }
  return times;
}
