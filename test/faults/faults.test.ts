import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { uniforms } from "../../src/core/random.ts";
import { readLastCheckpoint } from "../../src/runs/checkpoints.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, resumesTo, smallTraining, startFaulty } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { run, start } from "../fixtures/program.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const kills = allFaults ? 100 : 1;
const seed = 8;

const folder = t.testdir();
const train = smallTraining(writeSmallMnist(join(folder, "data"), { train: 16, test: 10 }));

/** Starts training with a fault from the n-th change of the run directory on. */
const faulty = (out: string, code: string, nth: number, log = "") =>
  startFaulty(train(out, "--resume"), { code, nth, folder: out, log }).ended;

t.test("faults", { skip: nativeMissing(), timeout: 7_200_000 }, async (t) => {
  const whole = join(folder, "whole");
  const log = join(folder, "operations");
  const began = Date.now();
  const first = await faulty(whole, "COUNT", 0, log);
  // Of a run that nobody kills; other work on the machine changes it.
  let milliseconds = Date.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = outcome(whole);
  const changes = readFileSync(log, "utf8").trim().split("\n");
  const operations = changes.length;
  t.ok(operations > 50, `${operations} changes of the run directory`);

  await t.test(`${kills} random kills (seed ${seed})`, async (t) => {
    const moments = uniforms({ seed, stream: "kills", counter: 0 }, kills);
    let hits = 0;
    for (const [index, moment] of moments.entries()) {
      const out = join(folder, `killed-${index}`);
      const [started, delay] = [Date.now(), moment * milliseconds];
      const { child, ended } = start(train(out));
      const timer = setTimeout(() => child.kill("SIGKILL"), delay);
      if ((await ended).signal === "SIGKILL") hits++;
      else milliseconds = Math.min(milliseconds, Date.now() - started);
      clearTimeout(timer);
      await resumesTo(t, expected, { train, out, what: `kill ${index} at ${delay.toFixed(0)} ms` });
    }
    t.comment(`${hits} of ${kills} kills came before the run's own end`);
    if (allFaults) t.ok(hits > kills / 2, "most kills hit");
  });

  await t.test(
    "killed again and again, it still comes to its end",
    { skip: !allFaults && "a long check" },
    async (t) => {
      const out = join(folder, "killed-often");
      for (let nth = 20; nth <= 60; nth++) await faulty(out, "KILL", nth);
      await resumesTo(t, expected, { train, out, what: "after the last kill" });
    },
  );

  await t.test("a disk that fails from the n-th write on", async (t) => {
    /** The n-th change behind the first of a kind. */
    const behind = (kind: RegExp, n: number) => changes.findIndex((change) => kind.test(change)) + 1 + n;
    // While the folder is cleared; when the first checkpoint has its name; when its record is due; in the middle.
    const cases: readonly (readonly [nth: number, refused: RegExp])[] = [
      [behind(/^openSync .*events\.ndjson/, 1), /cannot clear the run directory/],
      [behind(/^renameSync .*\/\.last\.safetensors/, 1), /cannot write .*last\.safetensors/],
      [behind(/^renameSync .*\/\.last\.safetensors/, 2), /cannot write .*record\.json/],
      [Math.floor(operations / 2), /cannot write/],
    ];
    const any = /cannot (write|create|lock|clear)/;
    const every = changes.map((_, index) => [index + 1, any] as const);
    for (const [nth, refused] of allFaults ? [...cases, ...every] : cases) {
      const out = join(folder, `failing-${nth}`);
      const { code, stderr } = await faulty(out, "EIO", nth);
      t.equal(code, 1, `write ${nth}: ${stderr}`);
      t.match(stderr, new RegExp(`^error: ${refused.source}.*EIO.*the disk or its connection fails`, "m"));
      t.notMatch(stderr, /\n\s+at /, "no stack trace");
      if (!/^error: cannot (lock|create)/m.test(stderr) && existsSync(runFiles(out).checkpoint)) {
        t.match(stderr, /the state of step \d+ is kept: continue from it with --resume/);
        const { progress } = readLastCheckpoint(out, recordingReporter());
        t.match(stderr, new RegExp(`the state of step ${progress.step} is kept`), `write ${nth}`);
      }
      await resumesTo(t, expected, { train, out, what: `write ${nth}` });
    }
  });

  await t.test("a full disk", { skip: cannotMount() }, async (t) => {
    const out = join(folder, "full");
    mkdirSync(out);
    const disk = 4 * 2 ** 20;
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${disk}`, "tmpfs", out]);
    try {
      // Two checkpoints and the record have room, and no third beside them; the last of a run is larger by a fifth.
      const room = 2.25 * statSync(runFiles(whole).checkpoint).size;
      writeFileSync(join(out, "other-files"), Buffer.alloc(Math.floor(disk - room)));
      const { code, stderr } = await run(...train(out));
      t.equal(code, 1, stderr);
      t.match(stderr, /^error: cannot write .*last\.safetensors: ENOSPC.*free space there$/m);
      t.match(stderr, /the state of step \d+ is kept: continue from it with --resume/);
      t.equal(readRecord(out).status, "failed");
      writeFileSync(join(out, "other-files"), "");
      await resumesTo(t, expected, { train, out, what: "once there is space" }, run);
    } finally {
      execFileSync("umount", [out]);
    }
  });

  await t.test("a second signal stops at once and leaves the last checkpoint whole", async (t) => {
    const out = join(folder, "impatient");
    const { child, ended } = start(train(out));
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (chunk) => /epoch 1/.test(String(chunk)) && resolve()),
    );
    child.kill("SIGTERM");
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    t.ok(code === 130 || code === 143, `${code}: ${stderr}`);
    await resumesTo(t, expected, { train, out, what: "after the signals" });
  });
});

/** Why no file system can be mounted here; false where one can. */
function cannotMount(): string | false {
  const place = join(folder, "mount");
  mkdirSync(place, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place], { stdio: "pipe" });
    execFileSync("umount", [place]);
    return false;
  } catch {
    return "no file system can be mounted here (it takes root on Linux)";
  }
}
