import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { readRecord } from "../../src/runs/record-file.ts";
import { readState } from "../../src/sweep/sweep-state.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { outcome } from "../fixtures/outcome.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { untimed, writeTinySweep } from "../fixtures/tiny-sweep.ts";

const folder = t.testdir();
const hostile = `<img src=x onerror="alert(1)">`;
const file = writeTinySweep(folder, {
  grid: { "method.prior.strength": [0.1, 1] },
  list: [
    { name: hostile, method: { name: "fixed", weights: 4, activations: 8 }, note: "</script>\u202e" },
    { name: "broken", "training.from": join(folder, "nowhere") },
  ],
  local: { workers: 2 },
});
const names = ["strength-0.1", "strength-1", "img-src-x-onerror-alert-1", "broken"];
const good = names.slice(0, 3);

t.test("the plan is printed, and nothing is begun", async (t) => {
  const out = join(folder, "dry");
  const { code, stdout, stderr } = await runHere("sweep", file, "--dry-run", "--json", "--out", out);
  t.equal(code, 0, stderr);
  const plan = JSON.parse(stdout);
  t.match(plan, { sweep: out, runner: "local", workers: 2, threads: 1 });
  t.strictSame(
    plan.runs.map((planned: { name: string }) => planned.name),
    names,
  );
  const [first, , , broken] = plan.runs;
  t.ok(first.seconds > 0);
  t.match(broken, { problem: /nowhere/ });
  t.notOk(existsSync(out));
});

t.test("a local sweep", { skip: nativeMissing(), timeout: 600_000 }, async (t) => {
  const whole = join(folder, "it's a sweep");

  await t.test("one failing run stops no other, and the exit code tells", async (t) => {
    const { code, stdout, stderr } = await runHere("sweep", file, "--out", whole, "--json");
    t.equal(code, 1, stderr);
    t.match(stderr, /3 of 4 runs are finished, 1 failed \(broken\).*--resume goes on/);
    t.match(stderr, /\[4\/4\]/);
    const { runs, page } = JSON.parse(stdout);
    t.match(runs[3], { name: "broken", status: "failed", error: /nowhere/ });
    for (const name of good) t.equal(readRecord(join(whole, "runs", name)).status, "finished", name);
    for (const [index, name] of good.entries()) t.match(runs[index], { name, status: "finished", top1: Number });
    const html = readFileSync(page, "utf8");
    for (const name of good) t.match(html, `href="runs/${name}/report.html"`);
    t.notMatch(html, /<img src=x/);
    t.match(readFileSync(join(whole, "logs", "broken.log"), "utf8"), /nowhere/);
    t.equal(readRecord(join(whole, "runs", good[0]!)).environment.threads, 1);
  });

  await t.test("interrupted, killed and resumed, it comes to the same", async (t) => {
    const out = join(folder, "killed");
    const sweep = ["sweep", file, "--out", out, "--resume"];
    const isRunning = async (name: string) => {
      while (!existsSync(join(out, "runs", name, "record.json"))) await sleep(20);
    };
    const first = start(sweep);
    await isRunning(good[0]!);
    first.child.kill("SIGINT");
    const interrupted = await first.ended;
    t.equal(interrupted.code, 130, interrupted.stderr);
    t.match(interrupted.stderr, /stopped by SIGINT after saving: continue with --resume/);
    t.notOk(readState(out)!.runs.some(({ status }) => status === "running"));
    t.notOk(locks(out).length, "all its processes have ended");

    const second = start(sweep);
    await isRunning(good[2]!);
    second.child.kill("SIGKILL");
    await second.ended;
    const { code, stderr } = await runHere(...sweep);
    t.equal(code, 1, stderr);
    t.match(stderr, /3 of 4 runs are finished, 1 failed \(broken\)/);
    t.strictSame(untimed(out), untimed(whole));
    for (const name of good) {
      const [now, expected] = [out, whole].map((place) => outcome(join(place, "runs", name)));
      t.strictSame(now, expected, `${name}: the same bytes`);
    }
    t.strictSame(locks(out), []);
  });
});

const locks = (out: string): readonly string[] =>
  readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => /\.part$|\.lock/.test(name));
