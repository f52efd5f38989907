import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { newState, readState, writeState } from "../../src/sweep/sweep-state.ts";

const run = {
  name: "a",
  settings: { seed: 1 },
  configHash: "00",
  status: "planned",
  error: null,
  figures: null,
} as const;

t.test("what is written is read", async (t) => {
  const folder = t.testdir();
  t.equal(readState(folder), null);
  const state = newState("front", "slurm", {
    runs: [run],
    jobs: [{ name: "front-1", id: null, runs: ["a"], logBytes: [7] }],
  });
  writeState(folder, state);
  t.strictSame(readState(folder), state);
});

t.test("figures from before there were tasks are classifiers'", async (t) => {
  const folder = t.testdir();
  const figures = { top1: 98.5, relativeBops: 0.4, packedBytes: 1000, seconds: 7 };
  const before = newState("x", "local", { runs: [], jobs: [] });
  writeFileSync(
    join(folder, "sweep.json"),
    JSON.stringify({ ...before, runs: [{ ...run, status: "finished", figures }] }),
  );
  const main = { key: "top1", label: "top-1", unit: "%", digits: 2, value: 98.5 };
  t.strictSame(readState(folder)?.runs[0]?.figures, { main, relativeBops: 0.4, packedBytes: 1000, seconds: 7 });
});

t.test("a damaged file is named, with what is wrong and the remedy", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "sweep.json");
  writeFileSync(file, "{");
  t.throws(() => readState(folder), { exitCode: 1, message: /cannot read .*sweep\.json: .*JSON.*remove the file/ });
  writeFileSync(
    file,
    JSON.stringify({ ...newState("x", "local", { runs: [run], jobs: [] }), runs: [{ ...run, status: "odd" }] }),
  );
  t.throws(() => readState(folder), { message: /runs\.0\.status/ });
  // Names become paths, of what `--force` removes too.
  for (const name of ["..", "../other", "a/b", "a\\b", ".hidden", ""]) {
    writeFileSync(file, JSON.stringify(newState("x", "local", { runs: [{ ...run, name }], jobs: [] })));
    t.throws(() => readState(folder), { message: /runs\.0\.name: the name of a run/ }, name);
  }
});
