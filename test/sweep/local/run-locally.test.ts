import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { runLocally } from "../../../src/sweep/local/run-locally.ts";
import { planSweep } from "../../../src/sweep/plan.ts";
import { Sweep } from "../../../src/sweep/sweep.ts";
import { filesOfRun } from "../../../src/sweep/sweep-folder.ts";
import { recordingReporter } from "../../fixtures/reporter.ts";
import { sweepFile } from "../../fixtures/sweep-file.ts";

const capacity = { workers: 1, threads: 1, memory: 1 };

/** Runs a sweep of one run, whose process is this script; gives its state and what was said. */
async function runScript(t: Test, script: string, prepare: (log: string) => void = () => {}) {
  const folder = t.testdir();
  const plan = planSweep(sweepFile(folder, { list: [{ name: "one", seed: 1 }] }), { threads: 1 });
  const sweep = new Sweep(join(folder, "out"), plan, "local");
  const { log } = filesOfRun(sweep.folder, "one");
  prepare(log);
  const reporter = recordingReporter();
  await runLocally(sweep, {
    program: [process.execPath, "-e", script],
    capacity,
    needs: new Map([["one", { threads: 1, memory: 1 }]]),
    force: false,
    stop: new AbortController().signal,
    reporter,
  });
  return { state: sweep.states[0]!, warnings: reporter.warnings, log };
}

/** What an earlier session said. */
const earlier = (log: string) => {
  mkdirSync(dirname(log), { recursive: true });
  appendFileSync(log, "error: an old one\n");
};

t.test("a run that dies without a word is not told of with an earlier session's error", async (t) => {
  const { state, warnings, log } = await runScript(t, "process.exit(7)", earlier);
  t.match(state, { status: "failed", error: "ended with exit code 7" });
  t.strictSame(warnings, [`[1/1] one: failed: ended with exit code 7 (${log})`]);
});

t.test("what it says itself is the reason", async (t) => {
  const { state } = await runScript(t, "console.error('error: a new one'); process.exit(1)", earlier);
  t.match(state, { status: "failed", error: "a new one" });
});

t.test("a log that could not be made is not named", async (t) => {
  const { state, warnings, log } = await runScript(t, "", (log) => {
    mkdirSync(dirname(dirname(log)), { recursive: true });
    writeFileSync(dirname(log), "a file where the folder of the logs should be");
  });
  t.match(state, { status: "failed", error: /cannot write the log/ });
  t.notOk(existsSync(log));
  t.notMatch(warnings[0], /\(\S+\.log\)$/);
});
