import t from "tap";
import type { BenchCase } from "../../../scripts/bench/bench-case.ts";
import { measure } from "../../../scripts/bench/measure.ts";

/** A case whose steps take the given milliseconds, one after the other; what is asked of it goes to `log`. */
function scripted(name: string, milliseconds: readonly number[], log: string[]): BenchCase {
  let next = 0;
  return {
    run: async (steps) => {
      log.push(`${name}${steps}`);
      next += steps;
      return milliseconds.slice(next - steps, next);
    },
    dispose() {},
  };
}

t.test("cases take turns, and what warms up is not counted", async (t) => {
  const log: string[] = [];
  const fast = scripted("fast", [100, 50, 50, 50, 9, 9, 9, 1, 2, 9, 9, 9, 3, 4], log);
  const slow = scripted("slow", [2000, 1000, 1001], log);
  const cases = new Map([
    ["fast", fast],
    ["slow", slow],
  ]);
  const times = await measure(cases, { seconds: 0, minRounds: 2, steps: 2 });
  t.same(times.get("fast"), [1, 2, 3, 4]);
  t.same(times.get("slow"), [1000, 1001]);
  t.same(log, ["fast1", "fast3", "slow1", "fast5", "slow1", "fast5", "slow1"]);
});
