import type { Progress, Watch } from "../core/progress.ts";

/** Others have their turn so often, in ms: signals are heard then. */
const TURN_MS = 100;

/**
 * Shows how far work is, and lets signals be heard meanwhile.
 *
 * @param check Throws where the work is to end.
 */
export function watchProgress(progress: Progress, check: () => void): Watch & Disposable {
  let heard = performance.now();
  return {
    stage: (label, total) => progress.start(label, total),
    async done(count, detail) {
      if (performance.now() - heard < TURN_MS) return;
      progress.update(count, detail);
      await new Promise((resolve) => setImmediate(resolve));
      check();
      heard = performance.now();
    },
    [Symbol.dispose]: () => progress.stop(),
  };
}
