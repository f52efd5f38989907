import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { uniforms } from "../../src/core/random.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn, resumesTo, smallPictures, startFaulty, trainingOn } from "../fixtures/fault-runs.ts";
import { leftAlive, living, processMark } from "../fixtures/living-processes.ts";
import { outcome } from "../fixtures/outcome.ts";
import type { Ended } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { sweepText } from "../fixtures/sweep-file.ts";

const folder = t.testdir();
const pictures = join(folder, "pictures");
const small = await smallPictures(pictures);
const train = trainingOn(join(folder, "pictures.yaml"), small);
const image = join(pictures, "train", "class-1", "4.jpg");
const picture = readFileSync(image);

const sweepPath = join(folder, "sweep.yaml");
const sweepOf = { grid: { "method.prior.strength": [0.1, 1] }, local: { workers: 2 } };
writeFileSync(sweepPath, sweepText(sweepOf, { name: "pictures", data: small.data, training: { epochs: 2 } }));
const names = ["strength-0.1", "strength-1"];
const sweep = (out: string) => ["sweep", sweepPath, "--out", out, "--resume"];

const isLinux = process.platform === "linux";
const skip = nativeMissing() || (!isLinux && "processes are found here on Linux");
/** What ends a program early, at a share of its time; each is seen to by a process of its own. */
const ends = ["an error", "SIGTERM", "SIGINT", "a damaged image"] as const;
type EarlyEnd = (typeof ends)[number];
type End = EarlyEnd | "what was there before";
/** Milliseconds in which every program here has ended, on a machine that is busy with other things too. */
const limit = 300_000;

interface Started {
  readonly args: readonly string[];
  readonly out: string;
  readonly share: number;
  /** How long the program takes. */
  readonly milliseconds: number;
  /** How many changes of files a run makes. */
  readonly changes: number;
}

const changesIn = (log: string): number => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0);

/** How long a whole run takes, and how many changes of files it makes. */
async function wholeRun(t: Test, out: string): Promise<Pick<Started, "milliseconds" | "changes">> {
  const log = `${out}.log`;
  const began = performance.now();
  const { code, stderr } = await startFaulty(train(out), { code: "COUNT", nth: 0, folder: out, log }).ended;
  const milliseconds = performance.now() - began;
  t.equal(code, 0, stderr);
  const changes = changesIn(log);
  t.ok(changes > 50, `${changes} changes of files`);
  return { milliseconds, changes };
}

/** Lets a program end early, and asserts that it does end, as it should, and that nothing of it is left. */
async function endsEarly(t: Test, end: End, { args, out, share, milliseconds, changes }: Started): Promise<Ended> {
  const env = { [processMark]: randomUUID() };
  const log = `${out}.log`;
  const fault = { code: end === "an error" ? "EIO" : "COUNT", nth: 1 + Math.floor(share * changes), folder: out, log };
  const { child, ended } = startFaulty(args, fault, env);
  const late = new AbortController();
  const tooLate = sleep(limit, null, { signal: late.signal }).catch(() => null);
  if (end !== "an error" && end !== "what was there before") {
    // Before its end where it is quicker than the one that was timed, too.
    const until = performance.now() + share * milliseconds;
    while (performance.now() < until && changesIn(log) < share * changes) await sleep(5);
    if (end === "a damaged image") writeFileSync(image, picture.subarray(0, picture.length / 2));
    else if (child.exitCode === null) child.kill(end);
  }
  const first = await Promise.race([ended, tooLate]);
  t.not(first, null, "it has ended by itself");
  late.abort();
  t.strictSame(await leftAlive(env[processMark]), [], "no process is left");
  for (const pid of living(env[processMark])) process.kill(pid, "SIGKILL");
  const { code, signal, stderr } = await ended;
  const what = `${end} at ${share.toFixed(3)}: ${code ?? signal}: ${stderr}`;
  if (end === "SIGTERM" || end === "SIGINT") {
    // Node dies of a signal that comes before the program listens; one that comes before a run begins ends it in silence.
    t.ok(signal === end || code === stopCodes[end] || code === 0, what);
    if (code === stopCodes[end] && stderr !== "") t.match(stderr, /^error: /m, "it says why");
  } else {
    t.ok(code === 1 || code === 0, what);
    if (code === 1) t.match(stderr, /^error: /m, "it says why");
  }
  t.notMatch(stderr, /\n\s+at /, "no stack trace");
  return ended;
}

const stopCodes = { SIGTERM: 143, SIGINT: 130 } as const;
/** Whether a program has ended before its time. */
const isEarly = ({ code }: Ended): boolean => code !== 0;

/** Where time is short: in the middle, and before the image is read the last time. */
const shortMoments: Readonly<Record<EarlyEnd, number>> = {
  ...{ "an error": 0.5, SIGTERM: 0.6, SIGINT: 0.6 },
  "a damaged image": 0.1,
};
const momentsOf = (end: EarlyEnd, count: number) =>
  allFaults ? uniforms({ seed: 11, stream: `exits/${end}`, counter: count }, count) : [shortMoments[end]];

/** Those for which the whole thing is done where time is short. */
const resumed: readonly End[] = allFaults ? ends : ["SIGTERM"];

t.test("runs on a folder of images always end", { skip, timeout: 7_200_000 }, async (t) => {
  const whole = join(folder, "whole");
  const usual = await wholeRun(t, whole);
  const expected = outcome(whole);
  for (const end of ends) {
    if (!allFaults && end === "SIGINT") continue;
    await t.test(end, async (t) => {
      let early = 0;
      for (const share of momentsOf(end, 10)) {
        const out = join(folder, `${end}-${share}`);
        const ended = await endsEarly(t, end, { args: train(out), out, share, ...usual });
        if (end === "an error") t.equal(ended.code, 1, ended.stderr);
        if (isEarly(ended)) early++;
        writeFileSync(image, picture);
        if (resumed.includes(end)) await resumesTo(t, expected, { train, out, what: `${end} at ${share.toFixed(3)}` });
      }
      t.ok(early > 0, `${early} ended before their time`);
    });
  }
});

const never = { share: 0, milliseconds: 0, changes: 0 };

t.test(
  "so they do where an image is damaged from the start, and sweeps of them",
  { skip, timeout: 3_600_000 },
  async (t) => {
    const late = join(pictures, "val", "class-0", "3.png");
    for (const path of allFaults ? [image, late] : [image]) {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, bytes.length / 2));
      for (const [kind, argsOf] of Object.entries({ run: (out: string) => train(out), sweep })) {
        const out = join(folder, `damaged-${kind}-${path === late}`);
        const { code, stderr } = await endsEarly(t, "what was there before", { args: argsOf(out), out, ...never });
        t.equal(code, 1);
        t.match(stderr, kind === "run" ? /cannot read 1 image:\n {2}.*: / : /0 of 2 runs are finished, 2 failed/);
      }
      writeFileSync(path, bytes);
    }
  },
);

t.test("so do sweeps of them", { skip: skip || (!allFaults && "a long check"), timeout: 7_200_000 }, async (t) => {
  const { changes } = await wholeRun(t, join(folder, "one"));
  const whole = join(folder, "sweep");
  const began = performance.now();
  const first = await runHere(...sweep(whole));
  const milliseconds = performance.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = names.map((name) => outcome(join(whole, "runs", name)));
  for (const end of ends) {
    await t.test(end, async (t) => {
      let early = 0;
      for (const share of momentsOf(end, 4)) {
        const out = join(folder, `sweep-${end}-${share}`);
        // Runs count for themselves, and so does the sweep, which changes less and ends of it less often.
        if (isEarly(await endsEarly(t, end, { args: sweep(out), out, share, milliseconds, changes }))) early++;
        writeFileSync(image, picture);
        const { code, stderr } = await runHere(...sweep(out));
        t.equal(code, 0, stderr);
        t.strictSame(
          names.map((name) => outcome(join(out, "runs", name))),
          expected,
          "the same bytes",
        );
        t.strictSame(leftIn(out), []);
      }
      t.ok(early > 0, `${early} ended before their time`);
    });
  }
});
