import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, resumesTo, smallTraining, startFaulty } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { run } from "../fixtures/program.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 16, test: 10 });
const [before, train] = [smallTraining(data, "seed=5"), smallTraining(data)];

t.test(
  "killed while --force replaces a run: there is the old one or the new, or none",
  { skip: nativeMissing(), timeout: 3_600_000 },
  async (t) => {
    const old = join(folder, "old");
    const made = await run(...before(old));
    t.equal(made.code, 0, made.stderr);
    const expectedOld = outcome(old);

    const [whole, log] = [join(folder, "whole"), join(folder, "operations")];
    cpSync(old, whole, { recursive: true });
    // So late a kill never comes.
    const first = await startFaulty(train(whole, "--force"), { code: "REMOVE", nth: 1e9, folder: whole, log }).ended;
    t.equal(first.code, 0, first.stderr);
    const expected = outcome(whole);
    const changes = readFileSync(log, "utf8").trim().split("\n");

    const cleared = changes.findIndex((change) => /^rmSync .*\/record\.json$/.test(change)) + 1;
    t.ok(cleared > 1, "the record is the first to go");
    const last = changes.findLastIndex((change) => /^rmSync .*\/checkpoints\//.test(change)) + 1;
    const every = Array.from({ length: last + 6 }, (_, index) => index + 1);
    for (const nth of allFaults ? every : [cleared + 2]) {
      const out = join(folder, `forced-${nth}`);
      cpSync(old, out, { recursive: true });
      const { code } = await startFaulty(train(out, "--force"), { code: "REMOVE", nth, folder: out }).ended;
      t.equal(code, null, "killed");
      const what = `before change ${nth}, ${changes[nth - 1]}`;
      if (nth <= cleared) {
        t.strictSame(outcome(out), expectedOld, `${what}: the old run is whole`);
        t.equal((await run("verify", out)).code, 0);
      }
      const resumed = await run(...train(out, "--resume"));
      if (resumed.code === 2) {
        t.match(
          resumed.stderr,
          /other settings:\n {2}seed: 5 → \d+\n.*--force/,
          `${what}: nothing of the old goes into the new`,
        );
        const forced = await run(...train(out, "--force"));
        t.equal(forced.code, 0, forced.stderr);
        t.strictSame(outcome(out), expected, `${what}: begun anew`);
      } else {
        await resumesTo(t, expected, { train, out, what });
      }
    }
  },
);
