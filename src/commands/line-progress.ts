import type { Progress } from "../core/progress.ts";
import { timeText } from "../core/time-text.ts";

/** Milliseconds between two lines. */
const PAUSE = 30_000;

/** Where there is no terminal for a bar: a line of the log every half minute. */
export function lineProgress(say: (line: string) => void, now: () => number = () => performance.now()): Progress {
  let [label, total, startedAt, saidAt] = ["", 1, 0, 0];
  return {
    start(what, units) {
      [label, total, startedAt] = [what, units, now()];
      saidAt = startedAt;
    },
    update(done, detail = "") {
      const moment = now();
      if (moment - saidAt < PAUSE) return;
      saidAt = moment;
      const share = Math.min(1, done / total);
      const left = share > 0 ? `, ${timeText((((moment - startedAt) / 1000) * (1 - share)) / share)} left` : "";
      say(`${label}: ${Math.floor(100 * share)} %${left}${detail === "" ? "" : `, ${detail}`}`);
    },
    stop() {},
  };
}
