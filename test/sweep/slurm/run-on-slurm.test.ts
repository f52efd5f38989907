import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { planSweep } from "../../../src/sweep/plan.ts";
import { runOnSlurm } from "../../../src/sweep/slurm/run-on-slurm.ts";
import { Sweep } from "../../../src/sweep/sweep.ts";
import { filesOfRun, slurmLogOf, sweepFiles } from "../../../src/sweep/sweep-folder.ts";
import { type Answers, fakeSlurm } from "../../fixtures/fake-slurm.ts";
import { recordingReporter } from "../../fixtures/reporter.ts";
import { sweepFile } from "../../fixtures/sweep-file.ts";

/** Resumes a sweep of one run whose task 12_0 an earlier session has submitted and left alone. */
async function resume(t: Test, answers: Answers, said = "") {
  const folder = t.testdir();
  fakeSlurm(t, "12_0", { sbatch: "13", ...answers });
  const file = sweepFile(folder, { list: [{ name: "one", seed: 1 }] });
  const plan = planSweep(file, { threads: 1 });
  const jobs = [{ name: "front-1", id: "12", runs: ["one"], logBytes: [0] }];
  const sweep = new Sweep(join(folder, "out"), plan, "slurm", jobs);
  const { logs, slurmLogs } = sweepFiles(sweep.folder);
  for (const place of [logs, slurmLogs]) mkdirSync(place, { recursive: true });
  const { log } = filesOfRun(sweep.folder, "one");
  appendFileSync(log, said);
  const slurmLog = slurmLogOf(sweep.folder, "12_0");
  writeFileSync(slurmLog, "slurmstepd: error\n");
  const reporter = recordingReporter();
  const stop = new AbortController().signal;
  await runOnSlurm(sweep, { program: ["node"], slurm: file.sweep.slurm, detach: true, stop, reporter });
  return { sweep, reporter, log, slurmLog };
}

t.test("a run that failed while nobody watched is told of before it is submitted again", async (t) => {
  const scontrol = "JobId=1 JobState=OUT_OF_MEMORY ExitCode=0:125";
  const { reporter, sweep, slurmLog } = await resume(t, { squeue: "", scontrol });
  t.equal(reporter.warnings.length, 1);
  t.match(reporter.warnings[0], /^one: failed: .*OUT_OF_MEMORY.*raise sweep\.slurm\.memoryGiB/);
  t.ok(reporter.warnings[0]!.endsWith(`(${slurmLog})`));
  t.match(reporter.infos, ["submitted 1 run as job array 13"]);
  t.strictSame(
    sweep.jobs.map(({ id }) => id),
    ["13"],
  );
});

t.test("in its own words, where it had some", async (t) => {
  const scontrol = "JobId=1 JobState=FAILED ExitCode=1:0";
  const { reporter, log } = await resume(t, { squeue: "", scontrol }, "error: the disk is full\n");
  t.strictSame(reporter.warnings, [`one: failed: the disk is full (${log})`]);
});

t.test("a run that was only interrupted is submitted again without a warning", async (t) => {
  const { reporter } = await resume(t, { squeue: "", scontrol: "JobId=1 JobState=TIMEOUT ExitCode=0:15" });
  t.strictSame(reporter.warnings, []);
  t.match(reporter.infos, ["submitted 1 run as job array 13"]);
});

t.test("a run that is in the queue is taken up", async (t) => {
  const { reporter, sweep } = await resume(t, { squeue: "12_0|PENDING" });
  t.strictSame(reporter.warnings, []);
  t.notMatch(reporter.infos, ["submitted 1 run as job array 13"]);
  t.strictSame(
    sweep.jobs.map(({ id }) => id),
    ["12"],
  );
});
