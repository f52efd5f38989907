import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { planSweep } from "../../../src/sweep/plan.ts";
import { watchTasks } from "../../../src/sweep/slurm/watch-tasks.ts";
import { Sweep } from "../../../src/sweep/sweep.ts";
import { filesOfRun, slurmLogOf, sweepFiles } from "../../../src/sweep/sweep-folder.ts";
import { fakeSlurm } from "../../fixtures/fake-slurm.ts";
import { recordingReporter } from "../../fixtures/reporter.ts";
import { sweepFile } from "../../fixtures/sweep-file.ts";

/** A sweep of one run, whose log has an earlier session's error, and whose task has left the queue in this way. */
async function watchEnded(t: Test, scontrol: string, say: (log: string) => void = () => {}) {
  const folder = t.testdir();
  fakeSlurm(t, "12_0", { squeue: "", scontrol });
  const plan = planSweep(sweepFile(folder, { list: [{ name: "one", seed: 1 }] }), { threads: 1 });
  const sweep = new Sweep(join(folder, "out"), plan, "slurm");
  const { log } = filesOfRun(sweep.folder, "one");
  const { logs, slurmLogs } = sweepFiles(sweep.folder);
  for (const place of [logs, slurmLogs]) mkdirSync(place, { recursive: true });
  const old = "error: an old one\n";
  appendFileSync(log, old);
  say(log);
  const slurmLog = slurmLogOf(sweep.folder, "12_0");
  writeFileSync(slurmLog, "slurmstepd: error\n");
  const reporter = recordingReporter();
  const tasks = new Map([["one", { id: "12_0", logBytes: old.length }]]);
  await watchTasks(sweep, tasks, { pollSeconds: 0, stop: new AbortController().signal, reporter });
  return { state: sweep.states[0]!, reporter, log, slurmLog };
}

t.test("a task that dies without a word is told of by Slurm's reason and log", async (t) => {
  const { state, reporter, slurmLog } = await watchEnded(t, "JobId=1 JobState=FAILED ExitCode=127:0");
  const error = "its task failed without a word: exit code 127";
  t.match(state, { status: "failed", error });
  t.strictSame(reporter.warnings, [`[1/1] one: failed: ${error} (${slurmLog})`]);
});

t.test("what its run said is the reason, and the run's log the one that is named", async (t) => {
  const { state, reporter, log } = await watchEnded(t, "JobId=1 JobState=FAILED ExitCode=1:0", (log) =>
    appendFileSync(log, "error: a new one\n"),
  );
  t.match(state, { status: "failed", error: "a new one" });
  t.strictSame(reporter.warnings, [`[1/1] one: failed: a new one (${log})`]);
});

t.test("a cancelled task is stopped, whatever an earlier session said", async (t) => {
  const { state, reporter } = await watchEnded(t, "JobId=1 JobState=CANCELLED ExitCode=0:15");
  t.match(state, { status: "stopped", error: /was cancelled/ });
  t.strictSame(reporter.warnings, []);
});
