import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readRecord } from "../../src/runs/record-file.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn, smallTraining, startFaulty } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const train = smallTraining(writeSmallMnist(join(folder, "data"), { train: 16, test: 10 }));
const day = 86_400;

/** How often a run has saved: once a step, and at its stages. */
const saves = (log: string) =>
  readFileSync(log, "utf8").match(/^renameSync .*\.last\.safetensors.*part$/gm)?.length ?? 0;

t.test("what a machine does beside a run", { skip: nativeMissing(), timeout: 3_600_000 }, async (t) => {
  const [whole, log] = [join(folder, "whole"), join(folder, "operations")];
  const began = performance.now();
  const first = await startFaulty(train(whole), { code: "COUNT", nth: 0, folder: whole, log }).ended;
  const milliseconds = performance.now() - began;
  t.equal(first.code, 0, first.stderr);
  const expected = outcome(whole);
  t.ok(saves(log) > 0, `${saves(log)} checkpoints`);

  await t.test("a file system without fsync is told of once, and all the rest holds", async (t) => {
    const out = join(folder, "unsynced");
    const { code, stderr } = await startFaulty(train(out), { code: "UNSYNCED", nth: 0, folder: out }).ended;
    t.equal(code, 0, stderr);
    t.equal(stderr.match(/cannot make writes durable \(EINVAL/g)?.length, 1, stderr);
    t.strictSame(outcome(out), expected);
    t.strictSame(leftIn(out), []);
  });

  /** [share of the run's time, seconds] */
  const few: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
    "set back by a day, then forward by two": [
      [0.5, -day],
      [0.8, 2 * day],
    ],
  };
  const many = Object.fromEntries(
    [-400 * day, -10_000, -1, 1, 10_000, 400 * day].flatMap((seconds) =>
      [0, 0.3, 0.6, 0.9].map((share) => [`${seconds} s after ${share}`, [[share, seconds] as const]]),
    ),
  );
  for (const [name, steps] of Object.entries(allFaults ? { ...few, ...many } : few))
    await t.test(`a clock ${name}`, (t) => stepped(t, steps));

  async function stepped(t: Test, steps: readonly (readonly [number, number])[]): Promise<void> {
    const out = join(folder, `stepped-${steps.join("-")}`);
    const operations = `${out}.log`;
    const clock = {
      NODE_OPTIONS: "--import ./test/fixtures/stepped-clock.mjs",
      CLOCK_STEPS: JSON.stringify(steps.map(([share, seconds]) => [share * milliseconds, seconds])),
    };
    const counted = { code: "COUNT", nth: 0, folder: out, log: operations };
    const { code, stderr } = await startFaulty(train(out), counted, clock).ended;
    t.equal(code, 0, stderr);
    t.strictSame(outcome(out), expected);
    t.equal(saves(operations), saves(log), "as many checkpoints in the middle of epochs");
    const { seconds, epochSeconds, waitingForData } = readRecord(out).times;
    t.ok(seconds > 0 && seconds < 600, `${seconds} s`);
    t.ok(
      epochSeconds.every((each) => each > 0 && each < 600),
      `epochs of ${epochSeconds} s`,
    );
    t.ok(
      waitingForData.every((each) => each >= 0 && each <= 100),
      `${waitingForData} %`,
    );
    t.strictSame(leftIn(out), []);
  }
});
