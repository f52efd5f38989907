import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { readState } from "../../../src/sweep/sweep-state.ts";
import { nativeMissing } from "../../fixtures/engines.ts";
import { outcome } from "../../fixtures/outcome.ts";
import { run, start } from "../../fixtures/program.ts";
import { slurmMissing, startCluster } from "../../fixtures/slurm-cluster.ts";
import { timelessPage, writeTinySweep } from "../../fixtures/tiny-sweep.ts";

const folder = t.testdir();
const sweep = {
  grid: { "method.prior.strength": [0.1, 1], seed: [1, 2, 3, 4] },
  local: { workers: 2, threads: 1 },
  slurm: { cpus: 1, pollSeconds: 1, saveSeconds: 30, time: 10, options: ["--comment=a tiny 'sweep'"] },
};
// A task is still at work when it is looked at.
const file = writeTinySweep(folder, sweep, { network: { name: "lenet5" } });

t.test("without sbatch, the remedy is told", async (t) => {
  const args = ["sweep", file, "--runner", "slurm", "--out", join(folder, "nothing")];
  const { code, stderr } = await start(args, { PATH: "/nowhere" }).ended;
  t.equal(code, 1);
  t.match(stderr, /there is no sbatch here; start it on a login node of the cluster, or with --runner local/);
});

t.test("a real Slurm", { skip: nativeMissing() || slurmMissing(), timeout: 600_000 }, async (t) => {
  const cluster = await startCluster({ cpus: 2 });
  t.teardown(cluster.stop);
  const onSlurm = join(folder, "a cluster's %j");
  const args = ["sweep", file, "--runner", "slurm", "--out", onSlurm, "--json"];

  await t.test("runs the sweep as an array; a requeued task goes on, a cancelled one is left", async (t) => {
    const { child, ended } = start(args, cluster.env);
    const id = await until(() => readState(onSlurm)?.jobs[0]?.id, child);
    cluster.slurm("scancel", `${id}_7`);
    await until(() => readState(onSlurm)!.runs[0]!.status === "running", child);
    cluster.slurm("scontrol", "requeue", `${id}_0`);
    const { code, stdout, stderr } = await ended;
    t.equal(code, 1, stderr);
    t.match(stderr, /submitted 8 runs as job array/);
    t.match(stderr, /7 of 8 runs are finished/);
    const { runs } = JSON.parse(stdout) as { readonly runs: readonly { readonly status: string }[] };
    t.strictSame(
      runs.map(({ status }) => status),
      [...Array.from({ length: 7 }, () => "finished"), "stopped"],
    );
  });

  await t.test("--resume submits what is left, and --detach returns at once", async (t) => {
    const detached = await start([...args, "--resume", "--detach"], cluster.env).ended;
    t.equal(detached.code, 0, detached.stderr);
    t.match(detached.stderr, /submitted 1 run as job array/);
    const local = await start([...args, "--runner", "local", "--resume"], cluster.env).ended;
    t.equal(local.code, 2, "two must not write to one run");
    t.match(local.stderr, /has runs that were submitted to Slurm/);
    const watched = await start([...args, "--resume"], cluster.env).ended;
    t.equal(watched.code, 0, watched.stderr);
    t.notMatch(watched.stderr, /submitted/, "it is in the queue");
  });

  await t.test("a run that fails is told of in its own words, or in Slurm's where it had none", async (t) => {
    const sweep = (name: string, list: object, settings: object = {}) => {
      const file = writeTinySweep(join(folder, name), {
        list: [{ name: "one", ...list }],
        slurm: { cpus: 1, pollSeconds: 1, ...settings },
      });
      return start(["sweep", file, "--runner", "slurm", "--out", join(folder, name, "out")], cluster.env).ended;
    };
    const broken = await sweep("broken", { "training.from": join(folder, "nowhere") });
    t.equal(broken.code, 1);
    t.match(broken.stderr, /one: failed: .*nowhere.* \(\S*broken\/out\/logs\/one\.log\)/);
    const silent = await sweep("silent", { seed: 1 }, { modules: ["none-such"] });
    t.equal(silent.code, 1);
    const [, log] = /failed without a word: exit code 1 \((\S*silent\/out\/slurm\/\d+_0\.log)\)/.exec(silent.stderr)!;
    t.match(readFileSync(log!, "utf8"), /module/);
  });

  await t.test("its page and its runs are those of the local sweep", async (t) => {
    const local = join(folder, "local");
    const { code, stderr } = await run("sweep", file, "--out", local);
    t.equal(code, 0, stderr);
    t.equal(timelessPage(onSlurm), timelessPage(local));
    for (const { name } of readState(local)!.runs) {
      const [one, other] = [onSlurm, local].map((place) => outcome(join(place, "runs", name)));
      t.strictSame(one, other, `${name}: the same bytes`);
    }
  });
});

/** Waits for a value while the program runs. */
async function until<T>(
  read: () => T | undefined | null | false,
  child: { readonly exitCode: number | null },
): Promise<T> {
  while (child.exitCode === null) {
    const value = read();
    if (value) return value;
    await sleep(100);
  }
  throw new Error("the program has ended");
}
