import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { codeOf } from "../../src/core/errors.ts";
import { uniforms } from "../../src/core/random.ts";
import { readLastCheckpoint } from "../../src/runs/checkpoints.ts";
import { lockFile } from "../../src/runs/lock.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn, resumesTo, smallTraining } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 16, test: 10 });
// The loser has many epochs, so that it is always in the middle.
const [lost, train] = [smallTraining(data, "training.epochs=400"), smallTraining(data)];
const times = allFaults ? 12 : 1;
/** Milliseconds after the first checkpoint. */
const moments = Array.from(uniforms({ seed: 9, stream: "losses", counter: 0 }, times), (share) => 400 * share);

async function untilThere(path: string): Promise<void> {
  for (const end = performance.now() + 60_000; !existsSync(path); await sleep(5))
    if (performance.now() > end) throw new Error(`${path} is not there after a minute`);
}
/** What is written meanwhile makes `rm -rf` fail, and whoever calls it calls it again. */
function removeWhole(out: string): void {
  while (existsSync(out)) {
    try {
      rmSync(out, { recursive: true });
    } catch (error) {
      if (codeOf(error) !== "ENOTEMPTY") throw error;
    }
  }
}

/** Until the first checkpoint has its record. */
const begun = (out: string) => untilThere(join(out, "record.json"));
const notIts = /^error: .* is no longer this run's: /m;
/** While a folder is being removed, its lock may be there still, and what is written not. */
const isGoing = /^error: (.* is no longer this run's: |cannot write .*: ENOENT)/m;

t.test("a run and its folder", { skip: nativeMissing(), timeout: 3_600_000 }, async (t) => {
  const whole = join(folder, "whole");
  const first = await runHere(...train(whole));
  t.equal(first.code, 0, first.stderr);
  const expected = outcome(whole);

  await t.test("removed while it runs, the folder is another run's alone", async (t) => {
    for (const [index, moment] of moments.entries()) {
      const out = join(folder, `removed-${index}`);
      const { ended } = start(lost(out));
      await begun(out);
      await sleep(moment);
      removeWhole(out);
      const other = start(train(out));
      const loser = await ended;
      t.equal(loser.code, 1, loser.stderr);
      t.match(loser.stderr, isGoing);
      t.notMatch(loser.stderr, /\n\s+at /, "no stack trace");
      const { code, stderr } = await other.ended;
      t.equal(code, 0, stderr);
      t.strictSame(outcome(out), expected);
      t.strictSame(leftIn(out), []);
      const verified = await runHere("verify", out);
      t.equal(verified.code, 0, verified.stdout);
      t.strictSame(readdirSync(out).toSorted(), readdirSync(whole).toSorted(), "no file of the other");
    }
  });

  await t.test("moved while it runs, it is whole where it is", async (t) => {
    const many = smallTraining(data, "training.epochs=30");
    const reference = join(folder, "reference");
    if (allFaults) t.equal((await runHere(...many(reference))).code, 0);
    for (const [index, moment] of moments.entries()) {
      const [out, elsewhere] = [join(folder, `moved-${index}`), join(folder, `elsewhere-${index}`)];
      const { ended } = start(many(out));
      await begun(out);
      await sleep(moment / 4);
      renameSync(out, elsewhere);
      const { code, stderr } = await ended;
      t.equal(code, 1, stderr);
      t.match(stderr, notIts);
      t.notOk(existsSync(out), "the folder is not made anew");
      if (allFaults) {
        await resumesTo(t, outcome(reference), { train: many, out: elsewhere, what: `moved after ${moment} ms` });
      } else {
        t.doesNotThrow(() => readLastCheckpoint(elsewhere, recordingReporter()));
        t.strictSame(leftIn(elsewhere), [lockFile], "the lock is of a process that is gone");
      }
    }
  });

  const isLinux = process.platform === "linux";
  await t.test(
    "a holder that is a zombie holds nothing",
    { skip: !isLinux && "zombies are looked at here on Linux" },
    async (t) => {
      for (let index = 0; index < times; index++) {
        const out = join(folder, `zombie-${index}`);
        // `sleep` takes the shell's place, and never asks how its child has ended.
        const shell = '"$@" & exec sleep 600';
        const parent = spawn("sh", ["-c", shell, "sh", process.execPath, "dist/main.js", ...train(out)], {
          stdio: "ignore",
        });
        try {
          // Read at once: a run that comes to its end removes its lock.
          await untilThere(join(out, lockFile));
          const { pid } = JSON.parse(readFileSync(join(out, lockFile), "utf8")) as { pid: number };
          await begun(out);
          process.kill(pid, "SIGKILL");
          t.ok(existsSync(join(out, lockFile)), "it still holds the folder");
          const stateOf = () => / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
          while (stateOf() !== "Z") await sleep(10);
          await resumesTo(t, expected, { train, out, what: "behind a zombie" });
          t.equal(stateOf(), "Z", "it is one to the end");
        } finally {
          parent.kill("SIGKILL");
        }
      }
    },
  );
});
