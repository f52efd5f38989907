import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import t from "tap";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { acquireLock, livingHolder, lockFile } from "../../src/runs/lock.ts";
import { lifeOf, ownIdentity } from "../../src/runs/process-identity.ts";
import { clearRun } from "../../src/runs/run-directory.ts";
import { leaveLock, nobody } from "../fixtures/left-lock.ts";

const free = { force: false };
const failure = (message: RegExp) => ({ name: "UserError", exitCode: 1, message });

/** How a claim to follow a dead holder is named. */
const after = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

t.test("one holder at a time; released, the next one gets it", async (t) => {
  const folder = t.testdir();
  const first = acquireLock(folder, free);
  t.throws(
    () => acquireLock(folder, free),
    failure(new RegExp(`in use by another run \\(process ${process.pid} on ${hostname()}, since 20`)),
  );
  t.throws(() => acquireLock(folder, { force: true }), failure(/in use/), "no force takes it from the living");
  first.release();
  t.strictSame(readdirSync(folder), [], "nothing is left");
  const second = acquireLock(folder, free);
  first.release();
  t.strictSame(readdirSync(folder), [lockFile], "a lock that is no longer one's own is left alone");
  second.release();
});

t.test("a dead holder's lock is taken over", async (t) => {
  const cases = {
    "its process is gone": { pid: nobody },
    "its pid is another process's by now": { started: "1" },
    "the machine has started anew": { boot: "another" },
  };
  for (const [what, change] of Object.entries(cases)) {
    const folder = t.testdir();
    leaveLock(folder, change);
    const lock = acquireLock(folder, free);
    t.equal(JSON.parse(readFileSync(join(folder, lockFile), "utf8")).pid, process.pid, what);
    lock.release();
    t.strictSame(readdirSync(folder), [], what);
  }
});

t.test("who died while taking a lock over is followed in turn", async (t) => {
  const folder = t.testdir();
  const dead = leaveLock(folder, { pid: nobody });
  const successor = `${lockFile}.${after(dead)}`;
  leaveLock(folder, { pid: nobody }, successor);
  const lock = acquireLock(folder, free);
  t.throws(() => acquireLock(folder, free), failure(/in use/));
  t.strictSame(readdirSync(folder), [lockFile], "no claim is left behind");
  lock.release();
});

t.test("who is about to take it over counts as its holder", async (t) => {
  const folder = t.testdir();
  const dead = leaveLock(folder, { pid: nobody });
  leaveLock(folder, {}, `${lockFile}.${after(dead)}`);
  t.throws(() => acquireLock(folder, free), failure(/in use/));
});

t.test("a holder that cannot be seen from here needs --force", async (t) => {
  for (const change of [{ host: "elsewhere" }, { pidNamespace: "pid:[1]" }, { host: "elsewhere", pid: nobody }]) {
    const folder = t.testdir();
    leaveLock(folder, change);
    t.throws(() => acquireLock(folder, free), failure(/cannot be seen from here.*--force/));
    acquireLock(folder, { force: true }).release();
    t.strictSame(readdirSync(folder), []);
  }
});

t.test("a damaged lock needs --force", async (t) => {
  for (const text of ["", "{", '{"host":"x"}', "null"]) {
    const folder = t.testdir({ [lockFile]: text });
    t.throws(() => acquireLock(folder, free), failure(/damaged run\.lock.*--force/));
    acquireLock(folder, { force: true }).release();
  }
});

t.test("a folder that cannot be written is named", async (t) => {
  const folder = join(t.testdir(), "missing");
  t.throws(() => acquireLock(folder, free), failure(/cannot lock the run directory .*missing: ENOENT/));
});

t.test("life is judged from what is known", async (t) => {
  const own = ownIdentity();
  t.equal(lifeOf(own, own), "alive");
  t.equal(lifeOf({ ...own, started: null }, own), "alive", "a system that tells no start");
  t.equal(lifeOf({ ...own, pid: 1, started: null }, own), "alive", "another's process");
  t.equal(lifeOf({ ...own, boot: null }, own), "dead");
  t.equal(lifeOf({ ...own, host: "x", boot: "y" }, own), "unknown");
});

t.test(
  "a holder that has ended, and whose parent has not asked how, is dead",
  { skip: process.platform !== "linux" },
  async (t) => {
    const folder = t.testdir();
    // The shell starts a process that ends soon, and becomes one that never asks for it.
    const parent = spawn("sh", ["-c", "sleep 1 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    t.teardown(() => parent.kill("SIGKILL"));
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    const stateOf = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
    while (stateOf() !== "Z") await new Promise((resolve) => setTimeout(resolve, 10));
    leaveLock(folder, { pid, started: null });
    t.equal(livingHolder(folder), null);
    acquireLock(folder, { force: false }).release();
  },
);

t.test("whose folder is removed, moved, copied or taken over writes nothing there any more", async (t) => {
  const root = t.testdir();
  const losses: Readonly<
    Record<string, { lose: (folder: string) => void; message: RegExp; left: readonly string[] | null }>
  > = {
    removed: {
      lose: (folder) => rmSync(folder, { recursive: true }),
      message: /is no longer this run's: its run\.lock is gone\. The run stops and writes nothing more there/,
      left: null,
    },
    moved: {
      lose: (folder) => renameSync(folder, `${folder}-elsewhere`),
      message: /its run\.lock is gone\..*if it was moved, continue it from where it is with --resume$/,
      left: null,
    },
    "begun anew by another": {
      lose: (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        leaveLock(folder, {});
      },
      message: /it belongs to process \d+ on .*, since 2026-01-01T00:00:00Z now/,
      left: [lockFile],
    },
    "put back as a copy": {
      lose: (folder) => {
        cpSync(folder, `${folder}-copy`, { recursive: true });
        rmSync(folder, { recursive: true });
        renameSync(`${folder}-copy`, folder);
      },
      message: /it belongs to process \d+ on/,
      left: ["file", lockFile],
    },
  };
  for (const [name, { lose, message, left }] of Object.entries(losses)) {
    const folder = join(root, name);
    mkdirSync(folder);
    const lock = acquireLock(folder, free);
    writeFileAtomically(join(folder, "file"), "own");
    lose(folder);
    for (const file of ["file", join("checkpoints", "last")])
      t.throws(() => writeFileAtomically(join(folder, file), "late"), { name: "LostFolderError", message }, name);
    t.throws(() => clearRun(folder), { name: "LostFolderError" }, `${name}: nothing is removed either`);
    lock.release();
    t.strictSame(existsSync(folder) ? readdirSync(folder).toSorted() : null, left, name);
  }
});

t.test("who writes to a folder is told while it lives", async (t) => {
  const folder = t.testdir();
  t.equal(livingHolder(folder), null, "nobody has locked it");
  const lock = acquireLock(folder, free);
  t.match(livingHolder(folder), new RegExp(`^process ${process.pid} on ${hostname()}, since 20\\d\\d-.*Z$`));
  lock.release();
  t.equal(livingHolder(folder), null, "it has been given back");
  leaveLock(folder, { pid: nobody });
  t.equal(livingHolder(folder), null, "the holder is dead");
  leaveLock(folder, { host: "elsewhere" });
  t.equal(livingHolder(folder), null, "the holder cannot be seen from here");
  writeFileSync(join(folder, lockFile), "{");
  t.equal(livingHolder(folder), null, "the lock is damaged");
});

t.test("a lock says who holds it, and since when", async (t) => {
  const folder = t.testdir();
  const lock = acquireLock(folder, free);
  const { id, since, ...identity } = JSON.parse(readFileSync(join(folder, lockFile), "utf8"));
  t.strictSame(identity, ownIdentity());
  t.match(id, /^[0-9a-f-]{36}$/);
  t.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000, since);
  lock.release();
});

t.test("a lock that cannot be read is no free folder", async (t) => {
  const folder = t.testdir({ [lockFile]: {} });
  t.throws(() => acquireLock(folder, free), failure(/cannot read .*run\.lock: EISDIR.*remove this lock/));
  t.strictSame(readdirSync(folder), [lockFile], "nothing is left beside it");
});

t.test("this process is known by machine, pid and start", { skip: process.platform !== "linux" }, async (t) => {
  const { host, boot, pidNamespace, pid, started } = ownIdentity();
  t.strictSame([host, pid], [hostname(), process.pid]);
  t.match(boot, /^[0-9a-f-]{36}$/);
  t.match(pidNamespace, /^pid:\[\d+\]$/);
  t.match(started, /^\d+$/);
  t.equal(ownIdentity().started, started);
});
