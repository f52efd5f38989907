import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { at } from "../../src/core/elements.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, leftIn, smallPictures, smallTraining, startFaulty, trainingOn } from "../fixtures/fault-runs.ts";
import { outcome } from "../fixtures/outcome.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const previous = "checkpoints/previous.safetensors";
type Training = ReturnType<typeof smallTraining>;
const options = { skip: nativeMissing(), timeout: 3_600_000 };

t.test("killed while --force replaces a run: there is the old one or the new, or none", options, async (t) => {
  const data = writeSmallMnist(join(folder, "data"), { train: 16, test: 10 });
  const removals = allFaults ? "all" : ["report.html", previous];
  await replaced(t, "small", { before: smallTraining(data, "seed=5"), train: smallTraining(data), removals });
});

t.test("so it is on a folder of images, whose checkpoints need two logs", options, async (t) => {
  const pictures = await smallPictures(join(folder, "pictures"));
  const config = join(folder, "pictures.yaml");
  const [before, train] = [trainingOn(config, pictures, "seed=5"), trainingOn(config, pictures)];
  await replaced(t, "pictures", { before, train, removals: [previous] });
});

interface Replacement {
  readonly before: Training;
  readonly train: Training;
  /** The files before whose removal the program is killed, or all changes of files. */
  readonly removals: readonly string[] | "all";
}

async function replaced(t: Test, name: string, { before, train, removals }: Replacement): Promise<void> {
  const old = join(folder, `${name}-old`);
  const made = await runHere(...before(old));
  t.equal(made.code, 0, made.stderr);
  const expectedOld = outcome(old);

  const [whole, log] = [join(folder, `${name}-whole`), join(folder, `${name}-operations`)];
  cpSync(old, whole, { recursive: true });
  // So late a kill never comes.
  const first = await startFaulty(train(whole, "--force"), { code: "REMOVE", nth: 1e9, folder: whole, log }).ended;
  t.equal(first.code, 0, first.stderr);
  const expected = outcome(whole);
  const changes = readFileSync(log, "utf8").trim().split("\n");
  /** Number of the change that removes a file. */
  const removal = (file: string) => 1 + changes.indexOf(`rmSync ${join(whole, file)}`);

  const cleared = removal("record.json");
  t.ok(cleared > 1, "the record is the first to go");
  const last = changes.findLastIndex((change) => change.startsWith(`rmSync ${whole}`)) + 1;
  const every = Array.from({ length: Math.min(last + 6, changes.length) }, (_, index) => index + 1);
  for (const nth of removals === "all" ? every : removals.map(removal)) {
    const out = join(folder, `${name}-forced-${nth}`);
    cpSync(old, out, { recursive: true });
    const killed = await startFaulty(train(out, "--force"), { code: "REMOVE", nth, folder: out }).ended;
    t.equal(killed.signal, "SIGKILL", "killed");
    const what = `before change ${nth}, ${at(changes, nth - 1)}`;
    if (nth <= cleared) {
      t.strictSame(outcome(out), expectedOld, `${what}: the old run is whole`);
      t.equal((await runHere("verify", out)).code, 0);
    }
    const resumed = await runHere(...train(out, "--resume"));
    if (resumed.code === 2) {
      const other = /other settings:\n {2}seed: 5 → \d+\n.*--force/;
      t.match(resumed.stderr, other, `${what}: nothing of the old goes into the new`);
      const forced = await runHere(...train(out, "--force"));
      t.equal(forced.code, 0, forced.stderr);
    } else if (!t.equal(resumed.code, 0, `${what}: resumes: ${resumed.stderr}`)) continue;
    t.strictSame(outcome(out), expected, `${what}: begun anew`);
    t.strictSame(leftIn(out), [], `${what}: leaves nothing behind`);
    rmSync(out, { recursive: true });
  }
}
