/** One way to do a training step, ready to be timed. */
export interface BenchCase {
  /** Does training steps one after the other; gives the milliseconds of each. */
  run(steps: number): Promise<readonly number[]>;
  dispose(): void;
}

/** Times a step of this process. The step must read its loss, so that it ends when the work is done. */
export function timed(step: () => void): BenchCase["run"] {
  return async (steps) =>
    Array.from({ length: steps }, () => {
      const start = performance.now();
      step();
      return performance.now() - start;
    });
}
