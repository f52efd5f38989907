import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { first, last } from "../../src/core/elements.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, resumesTo, smallTraining, startFaulty } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const train = smallTraining(writeSmallMnist(join(folder, "data"), { train: 16, test: 10 }));
/** What a power cut may do with what was not fsynced. */
const losses = ["LOSE", "EMPTY"] as const;

t.test(
  "a power cut takes what was not fsynced, and nothing that counts",
  { skip: nativeMissing(), timeout: 7_200_000 },
  async (t) => {
    // Cut at its end, the reference is what the disk has of a finished run.
    const finished = losses.map((code) => ({ code, whole: join(folder, `whole-${code}`) })).slice(0, allFaults ? 2 : 1);
    for (const { code, whole } of finished) {
      const ended = await startFaulty(train(whole), { code, nth: 1e9, folder: whole, log: `${whole}.log` }).ended;
      t.equal(ended.code, 0, ended.stderr);
      const verified = await runHere("verify", whole);
      t.equal(verified.code, 0, `${code}: a finished run is all there: ${verified.stdout}`);
    }
    const outcomes = finished.map(({ whole }) => outcome(whole));
    const expected = first(outcomes);
    t.strictSame(last(outcomes), expected);
    const changes = readFileSync(join(folder, `whole-${losses[0]}.log`), "utf8")
      .trim()
      .split("\n");

    /** In turn one and the other loss; where time is short, around the renames of a checkpoint in the middle. */
    const renamed = changes.flatMap((change, index) => (/^renameSync .*last\.safetensors/.test(change) ? [index] : []));
    const middle = renamed[Math.floor(renamed.length / 2)] ?? 0;
    const moments = allFaults ? changes.map((_, index) => index + 1) : [middle + 1, middle + 2];
    for (const [index, nth] of moments.entries()) {
      const code = losses[index % 2] ?? "LOSE";
      const out = join(folder, `cut-${nth}`);
      const { signal } = await startFaulty(train(out), { code, nth, folder: out }).ended;
      t.equal(signal, "SIGKILL", "the power was cut");
      await resumesTo(t, expected, { train, out, what: `${code} before change ${nth}, ${changes[nth - 1]}` });
    }
  },
);
