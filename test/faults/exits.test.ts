import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { uniforms } from "../../src/core/random.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn, resumesTo, smallPictures, trainingOn } from "../fixtures/fault-runs.ts";
import { leftAlive, living, processMark, slowness } from "../fixtures/living-processes.ts";
import { outcome } from "../fixtures/outcome.ts";
import { type Ended, run, start } from "../fixtures/program.ts";
import { sweepText } from "../fixtures/sweep-file.ts";

const folder = t.testdir();
const pictures = join(folder, "pictures");
const data = await smallPictures(pictures);
const train = trainingOn(join(folder, "pictures.yaml"), data);
const image = join(pictures, "train", "class-1", "4.jpg");
const picture = readFileSync(image);

const sweepPath = join(folder, "sweep.yaml");
const sweepOf = { grid: { "method.prior.strength": [0.1, 1] }, local: { workers: 2 } };
writeFileSync(sweepPath, sweepText(sweepOf, { name: "pictures", data, training: { epochs: 2 } }));
const names = ["strength-0.1", "strength-1"];
const sweep = (out: string) => ["sweep", sweepPath, "--out", out, "--resume"];

const isLinux = process.platform === "linux";
const skip = nativeMissing() || (!isLinux && "processes are found here on Linux");
/** What ends a program early, at a share of its time; each is seen to by a process of its own. */
const ends = ["an error", "SIGTERM", "SIGINT", "a damaged image"] as const;
type End = (typeof ends)[number] | "what was there before";

interface Started {
  readonly args: readonly string[];
  readonly out: string;
  readonly share: number;
  /** How long the program takes, and how many changes of files it makes. */
  readonly milliseconds: number;
  readonly changes: number;
}

/** Lets a program end early, and asserts that it does end, and that nothing of it is left. */
async function endsEarly(t: Test, end: End, { args, out, share, milliseconds, changes }: Started): Promise<Ended> {
  const mark = randomUUID();
  const faults = {
    NODE_OPTIONS: "--import ./test/fixtures/faulty-files.mjs",
    FAULT: `EIO:${1 + Math.floor(share * changes)}:${out}`,
  };
  const { child, ended } = start(args, { [processMark]: mark, ...(end === "an error" && faults) });
  const late = new AbortController();
  const limit = sleep(60_000 * slowness(), null, { signal: late.signal }).catch(() => null);
  if (end !== "an error" && end !== "what was there before") {
    await sleep(share * milliseconds);
    if (end === "a damaged image") writeFileSync(image, picture.subarray(0, picture.length / 2));
    else if (child.exitCode === null) child.kill(end);
  }
  const first = await Promise.race([ended, limit]);
  t.not(first, null, "it has ended by itself");
  late.abort();
  t.strictSame(await leftAlive(mark), [], "no process is left after 5 s");
  for (const pid of living(mark)) process.kill(pid, "SIGKILL");
  const { code, stderr } = await ended;
  // Node dies of a signal that comes before the program listens; one that comes before a run begins ends it in silence.
  const signalled = end === "SIGTERM" ? 143 : 130;
  t.ok([0, 1, signalled, null].includes(code), `${end} at ${share.toFixed(3)}: ${code}: ${stderr}`);
  if (code === 1 || (code === signalled && stderr !== "")) t.match(stderr, /^error: /m, "it says why");
  t.notMatch(stderr, /\n\s+at /, "no stack trace");
  return ended;
}

const momentsOf = (end: End, count: number) => uniforms({ seed: 11, stream: `exits/${end}`, counter: count }, count);

/** Those for which the whole thing is done where time is short. */
const resumed: readonly End[] = allFaults ? ends : ["SIGTERM"];

t.test("runs on a folder of images always end", { skip, timeout: 7_200_000 }, async (t) => {
  const whole = join(folder, "whole");
  const began = performance.now();
  const first = await run(...train(whole));
  const milliseconds = performance.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = outcome(whole);
  for (const end of ends) {
    if (!allFaults && end === "SIGINT") continue;
    await t.test(end, async (t) => {
      for (const share of momentsOf(end, allFaults ? 10 : 1)) {
        const out = join(folder, `${end}-${share}`);
        await endsEarly(t, end, { args: train(out), out, share, milliseconds, changes: 150 });
        writeFileSync(image, picture);
        if (resumed.includes(end)) await resumesTo(t, expected, { train, out, what: `${end} at ${share.toFixed(3)}` });
      }
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
  const whole = join(folder, "sweep");
  const began = performance.now();
  const first = await run(...sweep(whole));
  const milliseconds = performance.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = names.map((name) => outcome(join(whole, "runs", name)));
  for (const end of ends) {
    await t.test(end, async (t) => {
      for (const share of momentsOf(end, 4)) {
        const out = join(folder, `sweep-${end}-${share}`);
        // Runs count for themselves, and so does the sweep, which changes less and ends of it less often.
        await endsEarly(t, end, { args: sweep(out), out, share, milliseconds, changes: 150 });
        writeFileSync(image, picture);
        const { code, stderr } = await run(...sweep(out));
        t.equal(code, 0, stderr);
        t.strictSame(
          names.map((name) => outcome(join(out, "runs", name))),
          expected,
          "the same bytes",
        );
        t.strictSame(leftIn(out), []);
      }
    });
  }
});
