import type { Progress } from "../core/progress.ts";

/** Milliseconds between two messages. */
const PAUSE = 1000;

/** Tells the process that started this one, a sweep, how far the work is; null where nobody listens. */
export function channelProgress(): Progress | null {
  if (process.send === undefined) return null;
  let total = 1;
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    start(_, units) {
      total = units;
    },
    update(done) {
      const now = performance.now();
      if (now - saidAt < PAUSE || !process.connected) return;
      saidAt = now;
      // The other end may be gone by now: command-line.ts hears of that.
      process.send?.({ done, total }, undefined, {}, () => {});
    },
    stop() {},
  };
}
