import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadSweep } from "../src/config/load-sweep.ts";
import { planSweep } from "../src/sweep/plan.ts";
import { planTable } from "../src/sweep/text-tables.ts";

// npm run test:sweep [-- --workers 2] [--runs 8]: what a local sweep takes beside its ideal, the sum of its runs' single
// times, one after the other on the same threads, over the runs at a time. Fails above 1.15.
const { values } = parseArgs({
  options: { workers: { type: "string", default: "2" }, runs: { type: "string", default: "8" } },
});
const [workers, runs] = [Number(values.workers), Number(values.runs)];
const folder = mkdtempSync(join(tmpdir(), "bench-sweep-"));
const file = join(folder, "short.yaml");
const sweep = { grid: { seed: Array.from({ length: runs }, (_, index) => index + 1) }, local: { workers, threads: 1 } };
const data = { limit: { train: 6000, test: 1000 } };
writeFileSync(
  file,
  JSON.stringify({
    extends: join(process.cwd(), "configs/mnist-lenet5-quick.yaml"),
    data,
    training: { epochs: 2 },
    sweep,
  }),
);

/** Seconds that the program takes. */
function time(...args: readonly string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["dist/main.js", ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit code ${status}\n${stderr}`);
  return (performance.now() - began) / 1000;
}

try {
  const planned = planSweep(loadSweep(file), { threads: 1 }).runs;
  for (const line of planTable(planned)) console.log(line);
  const whole = time("sweep", file, "--out", join(folder, "sweep"));
  const single = planned.map(({ name }) =>
    time("train", join(folder, "sweep", "configs", `${name}.yaml`), "--out", join(folder, "single", name)),
  );
  const ideal = single.reduce((sum, seconds) => sum + seconds, 0) / workers;
  console.log(`single runs  ${single.map((seconds) => seconds.toFixed(1)).join(", ")} s`);
  console.log(`ideal        ${ideal.toFixed(1)} s with ${workers} at a time`);
  console.log(`sweep        ${whole.toFixed(1)} s, ${(whole / ideal).toFixed(3)} times the ideal (at most 1.15)`);
  process.exitCode = whole / ideal <= 1.15 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
