import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { uniforms } from "../../src/core/random.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn } from "../fixtures/fault-runs.ts";
import { leftAlive, living, processMark } from "../fixtures/living-processes.ts";
import { outcome } from "../fixtures/outcome.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { untimed, writeTinySweep } from "../fixtures/tiny-sweep.ts";

const folder = t.testdir();
const file = writeTinySweep(folder, { grid: { "method.prior.strength": [0.1, 1] }, local: { workers: 2 } });
const names = ["strength-0.1", "strength-1"];
const kills = allFaults ? 24 : 1;

const isLinux = process.platform === "linux";
const skip = nativeMissing() || (!isLinux && "processes are found here on Linux");

t.test("a sweep that is killed, or whose runs are", { skip, timeout: 7_200_000 }, async (t) => {
  const whole = join(folder, "whole");
  const began = performance.now();
  const first = await runHere("sweep", file, "--out", whole);
  const milliseconds = performance.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = names.map((name) => outcome(join(whole, "runs", name)));
  const moments = uniforms({ seed: 10, stream: "sweep-kills", counter: 0 }, kills);
  const hits = { "a run": 0, "the sweep": 0 };

  for (const [index, share] of moments.entries()) {
    const whom = index % 2 === 0 ? "a run" : "the sweep";
    await t.test(`${whom} killed at ${share.toFixed(3)} of its time`, async (t) => {
      const [out, mark] = [join(folder, `killed-${index}`), randomUUID()];
      const sweep = ["sweep", file, "--out", out, "--resume"];
      const { child, ended } = start(sweep, { [processMark]: mark });
      await sleep(share * milliseconds);
      const find = () => (whom === "the sweep" ? child.pid : living(mark).find((pid) => pid !== child.pid));
      let victim = find();
      // On a busy machine no run may have begun yet.
      while (victim === undefined && child.exitCode === null) {
        await sleep(20);
        victim = find();
      }
      if (victim !== undefined && child.exitCode === null) process.kill(victim, "SIGKILL");
      const { code, signal, stderr } = await ended;
      if (whom === "a run") {
        t.ok(code === 0 || code === 1, `${code ?? signal}: ${stderr}`);
        if (code === 1) t.match(stderr, /1 of 2 runs are finished, 1 failed|killed by SIGKILL/);
      } else t.ok(code === 0 || signal === "SIGKILL", `${code ?? signal}: ${stderr}`);
      if (code !== 0) hits[whom]++;
      t.strictSame(await leftAlive(mark), [], "no process is left");
      const { code: resumed, stderr: said } = await runHere(...sweep);
      t.equal(resumed, 0, said);
      t.strictSame(untimed(out), untimed(whole));
      t.strictSame(
        names.map((name) => outcome(join(out, "runs", name))),
        expected,
        "the same bytes",
      );
      t.strictSame(leftIn(out), []);
    });
  }
  t.ok(hits["a run"] > 0, `${hits["a run"]} runs were killed`);
  if (allFaults) t.ok(hits["the sweep"] > 0, `${hits["the sweep"]} sweeps were killed`);
});
