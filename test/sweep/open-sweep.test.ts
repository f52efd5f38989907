import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import { acquireLock } from "../../src/runs/lock.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { type OpenOptions, openSweep } from "../../src/sweep/open-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { outcomeOf } from "../../src/sweep/sweep-run-state.ts";
import { newState, type SweepState, writeState } from "../../src/sweep/sweep-state.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { sweepFile } from "../fixtures/sweep-file.ts";

const plain: OpenOptions = { resume: false, force: false, runner: "local" };
const resume = { ...plain, resume: true };
const force = { ...plain, force: true };
const planOf = (folder: string, epochs: number) =>
  planSweep(sweepFile(folder, { grid: { seed: [1, 2] } }, { training: { epochs } }), { threads: 1 });

/** A folder with a sweep of two runs, the first of which is finished. */
function setUp(t: Test, jobs: SweepState["jobs"] = []) {
  const folder = t.testdir({});
  const plan = planOf(folder, 3);
  const out = join(folder, "out");
  const [{ name, config }] = plan.runs as [(typeof plan.runs)[number]];
  writeRecord(join(out, "runs", name), { ...sampleRecord(), name, config });
  writeState(out, newState("sweep", "local", { runs: [], jobs }));
  return { out, plan, folder, record: join(out, "runs", name, "record.json") };
}

t.test("a folder that holds a sweep is opened with --resume or --force only", async (t) => {
  const { out, plan, record } = setUp(t);
  t.throws(() => openSweep(out, plan, plain), { exitCode: 2, message: /use --resume to continue it, or --force/ });
  const { before, lock } = openSweep(out, plan, resume);
  t.match(before, { name: "sweep" });
  t.throws(() => openSweep(out, plan, resume), { exitCode: 1, message: /is in use/ });
  lock.release();
  t.ok(existsSync(record));
  const anew = openSweep(out, plan, force);
  t.equal(anew.before, null);
  t.notOk(existsSync(record), "the old runs are gone: they would pass for finished ones");
  anew.lock.release();
});

t.test("--force removes nothing while one of the runs is in use, then the page with the runs", async (t) => {
  const { out, plan, record } = setUp(t);
  const page = join(out, "index.html");
  writeFileSync(page, "a page that speaks of the old runs");
  const second = join(out, "runs", plan.runs[1]!.name);
  mkdirSync(second, { recursive: true });
  const inUse = acquireLock(second, { force: false });
  t.throws(() => openSweep(out, plan, force), { exitCode: 1, message: /is in use by another run/ });
  t.ok(existsSync(record), "the first run has its record still");
  t.ok(existsSync(page));
  inUse.release();
  openSweep(out, plan, force).lock.release();
  t.notOk(existsSync(record));
  t.notOk(existsSync(page));
});

t.test("--force removes runs that the sweep had and the plan does not, but nothing of a user's", async (t) => {
  const { out, folder, plan } = setUp(t);
  const had = (...names: readonly string[]) => {
    const runs = names.map((name) => ({ name, settings: {}, configHash: "", ...outcomeOf(null) }));
    writeState(out, newState("sweep", "local", { runs, jobs: [] }));
  };
  const write = (path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    return path;
  };
  const old = (name: string) => {
    const run = join(out, "runs", name);
    writeRecord(run, { ...sampleRecord(), name });
    const beside = [join(out, "configs", `${name}.yaml`), join(out, "logs", `${name}.log`)].map(write);
    return { run, files: [...beside, write(join(run, "events.ndjson")), write(join(run, "model.int8.onnx"))] };
  };
  const [gone, annotated, kept] = [old("seed-8"), old("seed-9"), old("mine")];
  const neverBegun = write(join(out, "configs", "seed-7.yaml"));
  const notes = write(join(annotated.run, "notes.txt"));
  had("seed-1", "seed-7", "seed-8", "seed-9");
  const opened = openSweep(out, plan, force);
  opened.lock.release();
  t.strictSame(opened.dropped, ["seed-7", "seed-8", "seed-9"]);
  const record = join(annotated.run, "record.json");
  for (const path of [gone.run, neverBegun, ...gone.files, ...annotated.files, record]) t.notOk(existsSync(path), path);
  for (const path of [notes, kept.run, ...kept.files]) t.ok(existsSync(path), path);

  const used = old("seed-8");
  had("seed-8");
  const lock = acquireLock(used.run, { force: false });
  t.throws(() => openSweep(out, planOf(folder, 4), force), { exitCode: 1, message: /is in use by another run/ });
  for (const path of used.files) t.ok(existsSync(path), path);
  lock.release();
});

t.test("finished runs have the settings of the plan", async (t) => {
  const { out, folder } = setUp(t);
  const message = /run seed-1, which is finished: training.epochs: 3 → 4\nundo the changes/;
  t.throws(() => openSweep(out, planOf(folder, 4), resume), { exitCode: 2, message });
  openSweep(out, planOf(folder, 4), force).lock.release();
});

t.test("what stands in Slurm's queue is not begun here as well", async (t) => {
  const { out, plan } = setUp(t, [{ name: "sweep-1", id: "12", runs: ["seed-1"], logBytes: [0] }]);
  for (const options of [resume, { ...force, runner: "slurm" as const }]) {
    t.throws(() => openSweep(out, plan, options), { exitCode: 2, message: /submitted to Slurm \(12\).*scancel/ });
  }
  openSweep(out, plan, { ...resume, runner: "slurm" }).lock.release();
});

t.test("the folder of a single run is no sweep's, and a sweep's file no single run's", async (t) => {
  const { out, plan, folder } = setUp(t);
  const single = join(out, "runs", "seed-1");
  t.throws(() => openSweep(single, plan, resume), { message: /holds a single run, not a sweep/ });
  t.throws(() => loadConfig(join(folder, "sweep.yaml")), { message: /start it with bayesian-bits sweep/ });
});

t.test("a record that says running, of a run that nobody works on, is of one that was stopped", async (t) => {
  t.equal(outcomeOf({ ...sampleRecord(), status: "running" }).status, "stopped");
  t.match(outcomeOf(sampleRecord()), { status: "finished", figures: { main: { key: "top1", value: 99.06 } } });
  t.equal(outcomeOf(null).status, "planned");
});
