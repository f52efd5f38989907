import t from "tap";
import { endOfTask } from "../../../src/sweep/slurm/commands.ts";
import { outcomeOfTask } from "../../../src/sweep/slurm/task-outcome.ts";
import { fakeSlurm } from "../../fixtures/fake-slurm.ts";

const end = (state: string, exitCode = 0, signal = 0) => ({ state, exitCode, signal });
const saved = "stopped by SIGTERM after saving: continue with --resume (runs/a)";

t.test("failures are told apart from what only interrupts a run", async (t) => {
  const cases = [
    [end("FAILED", 1), "cannot read the data", "failed", /^cannot read the data$/],
    [end("FAILED", 1), null, "failed", /failed without a word: exit code 1$/],
    [end("FAILED", 0, 11), null, "failed", /without a word: killed by signal 11$/],
    [end("FAILED", 0, 9), saved, "failed", /^its task failed: killed by signal 9$/],
    [end("FAILED", 139), saved, "failed", /^its task failed: exit code 139$/],
    [end("FAILED", 0, 2), null, "stopped", /^its task was stopped \(killed by signal 2\); --resume goes on/],
    [end("FAILED", 0, 15), null, "stopped", /^its task was stopped \(killed by signal 15\); --resume goes on/],
    [end("FAILED", 0, 15), "cannot read the data", "failed", /^cannot read the data$/],
    [end("FAILED", 130), null, "stopped", /^its task was stopped \(exit code 130\)/],
    [end("OUT_OF_MEMORY", 0, 125), null, "failed", /OUT_OF_MEMORY.*raise sweep\.slurm\.memoryGiB/],
    [end("OUT_OF_MEMORY", 0, 125), saved, "failed", /OUT_OF_MEMORY/],
    [end("FAILED", 143), saved, "stopped", /^stopped by SIGTERM after saving/],
    [end("TIMEOUT", 0, 15), null, "stopped", /time limit: raise sweep\.slurm\.time/],
    [end("TIMEOUT", 143), saved, "stopped", /time limit/],
    [end("NODE_FAIL"), null, "stopped", /node of its task failed/],
    [end("CANCELLED", 0, 15), null, "stopped", /was cancelled/],
    [end("CANCELLED", 1), "the disk is full", "failed", /^the disk is full$/],
    [end("COMPLETED"), null, "stopped", /has left the queue \(COMPLETED\)$/],
    [null, null, "stopped", /has left the queue$/],
    [null, saved, "stopped", /after saving/],
    [null, "cannot read the data", "failed", /^cannot read the data$/],
  ] as const;
  for (const [ended, said, status, error] of cases)
    t.match(outcomeOfTask(ended, said), { status, error }, `${JSON.stringify(ended)}, ${said}`);
});

const shown =
  "JobId=15 ArrayJobId=12 ArrayTaskId=3 JobName=front-1 JobState=FAILED Reason=NonZeroExitCode ExitCode=7:0";

t.test("the controller is asked first", async (t) => {
  fakeSlurm(t, "12_3", { scontrol: shown, sacct: "RUNNING|0:0" });
  t.strictSame(await endOfTask("12_3"), end("FAILED", 7));
});

t.test("the accounting knows what the controller has forgotten", async (t) => {
  fakeSlurm(t, "12_3", { sacct: "CANCELLED by 1000|0:15" });
  t.strictSame(await endOfTask("12_3"), end("CANCELLED", 0, 15));
});

t.test("an accounting that is late, or none, tells nothing", async (t) => {
  fakeSlurm(t, "12_3", { sacct: "RUNNING|0:0" });
  t.equal(await endOfTask("12_3"), null);
  fakeSlurm(t, "12_3", {});
  t.equal(await endOfTask("12_3"), null);
});
