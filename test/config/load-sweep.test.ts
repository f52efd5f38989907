import { join } from "node:path";
import t, { type Test } from "tap";
import { loadSweep } from "../../src/config/load-sweep.ts";

const grid = "sweep: { grid: { seed: [1, 2] } }\n";
const refused = (message: RegExp) => ({ name: "UsageError", exitCode: 2, message });

/** The sweep of a file, beside a base that has the name of a run. */
function sweepOf(t: Test, text: string, set?: readonly string[]) {
  const path = join(t.testdir({ "base.yaml": "name: a-run\nseed: 3\n", "my.sweep.yaml": text }), "my.sweep.yaml");
  return loadSweep(path, set && { set });
}

t.test("a file's sweep is taken out of what its runs start from", async (t) => {
  const loaded = sweepOf(t, `seed: 5\ntraining:\n  epochs: 2\nsweep:\n  grid:\n    seed: [1, 2]\n`);
  t.strictSame(loaded.base.tree, { seed: 5, training: { epochs: 2 } });
  t.strictSame(loaded.sweep.grid, { seed: [1, 2] });
  t.equal(loaded.sweep.runner, "local", "defaults are filled in");
  t.strictSame(loaded.base.places.get("training.epochs"), `${loaded.path}:3`);
  t.strictSame(Object.fromEntries(loaded.places), {
    "sweep.grid": `${loaded.path}:5`,
    "sweep.grid.seed": `${loaded.path}:6`,
    "sweep.grid.seed.0": `${loaded.path}:6`,
    "sweep.grid.seed.1": `${loaded.path}:6`,
  });
  t.notOk(
    [...loaded.base.places.keys()].some((place) => place.startsWith("sweep.")),
    "the runs know nothing of it",
  );
});

t.test("its name is what it or --set says, else the file's: that of its base is a run's", async (t) => {
  t.equal(sweepOf(t, grid).name, "my.sweep");
  t.equal(sweepOf(t, `extends: base.yaml\n${grid}`).name, "my.sweep");
  t.equal(sweepOf(t, `extends: base.yaml\nname: own\n${grid}`).name, "own");
  t.equal(sweepOf(t, `extends: base.yaml\n${grid}`, ["name=said"]).name, "said");
});

t.test("--set reaches the sweep and its base", async (t) => {
  const { base, sweep } = sweepOf(t, `extends: base.yaml\n${grid}`, ["seed=9", "sweep.grid.seed=[7]"]);
  t.equal(base.tree.seed, 9);
  t.strictSame(sweep.grid, { seed: [7] });
});

t.test("a file without a sweep describes one run", async (t) => {
  t.throws(
    () => sweepOf(t, "seed: 1\n"),
    refused(/my\.sweep\.yaml has no sweep section, and describes one run: bayesian-bits train .*my\.sweep\.yaml$/),
  );
});

t.test("everything that is wrong with a sweep is told at once, each with its place", async (t) => {
  const message = (text: string): string => {
    try {
      sweepOf(t, text);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const two = message("name: ../up\nsweep:\n  runner: here\n  grid: { seed: [] }\n");
  t.match(two, /^the configuration is wrong:\n/);
  t.match(two, / {2}name: expected letters, digits, .*, got "\.\.\/up" \(.*my\.sweep\.yaml:1\)/);
  t.match(two, / {2}sweep\.runner: expected "local" or "slurm", got "here" \(.*:3\)/);
  t.match(two, / {2}sweep\.grid\.seed: expected 1 values, got \[\] \(.*:4\)/);
  t.match(message("sweep:\n  gird: {}\n"), /sweep\.gird: is not a setting; known here: grid, list, random, runner/);
  t.match(message("sweep: {}\n"), /sweep: expected a grid, a list or random runs, got \{\} \(.*:1\)/);
  t.match(message("sweep:\n  grid: { 'a b': [1] }\n"), /sweep\.grid\.a b: expected the path of a setting, as method/);
});
