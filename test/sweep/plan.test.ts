import fc from "fast-check";
import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { UsageError } from "../../src/core/errors.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";
import { sweepFile } from "../fixtures/sweep-file.ts";

const folder = t.testdir();
const plan = (sweep: unknown, rest = {}) => planSweep(sweepFile(folder, sweep, rest), { threads: 1 });
const complaint = (sweep: unknown, rest = {}): string => {
  try {
    plan(sweep, rest);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
};
const strengths = fc.uniqueArray(fc.double({ min: 0.001, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 });
const seeds = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 4 });

t.test("a grid has every combination once, with the values where their paths say", async (t) => {
  lawHolds(
    t,
    fc.record({ strengths, seeds }),
    ({ strengths, seeds }) => {
      const { runs } = plan({ grid: { "method.prior.strength": strengths, seed: seeds } });
      const pairs = runs.map(({ config }) => {
        expect(config.method.name === "bayesian-bits", "the base's method");
        return JSON.stringify([(config.method as { prior: { strength: number } }).prior.strength, config.seed]);
      });
      const expected = strengths.flatMap((strength) => seeds.map((seed) => JSON.stringify([strength, seed])));
      expect(JSON.stringify(pairs) === JSON.stringify(expected), `${pairs} and not ${expected}`);
    },
    15,
  );
});

t.test("names are what a run may be called, and no two the same on any file system", async (t) => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom("../../etc", "a/b", "A", "a", "CON.", "<img onerror=alert(1)>", "\u202egnirts", "x".repeat(500)),
  );
  lawHolds(
    t,
    fc.array(text, { minLength: 1, maxLength: 6 }),
    (notes) => {
      const { runs } = plan({ list: notes.map((name, index) => ({ name: `${name}${index}`, seed: index })) });
      const { name } = configSchema.shape;
      for (const run of runs) {
        expect(name.safeParse(run.name).success, JSON.stringify(run.name));
        expect(run.config.name === run.name, "the configuration has the name");
        expect(Buffer.byteLength(run.name) <= 90, "short enough for a file");
        expect(!/[. ]$/.test(run.name), "no dot at the end");
      }
      expect(new Set(runs.map((run) => run.name.toLowerCase())).size === runs.length, "all different");
    },
    20,
  );
});

t.test("names say what differs, as shortly as tells it apart", async (t) => {
  const { runs } = plan({
    grid: { "training.gates.learningRate": [0.1, 0.01], "training.weights.learningRate": [0.001], seed: [1] },
    list: [
      { method: { name: "fixed", weights: 4, activations: 8 } },
      { "data.batchSize": 64, seed: 9 },
      { name: "own name", seed: 7 },
    ],
  });
  t.strictSame(
    runs.map(({ name }) => name),
    [
      "gates.learningRate-0.1_weights.learningRate-0.001_seed-1",
      "gates.learningRate-0.01_weights.learningRate-0.001_seed-1",
      "fixed-4-8",
      "batchSize-64_seed-9",
      "own-name",
    ],
  );
});

t.test("drawn settings lie in their bounds, and depend on seed, path and number alone", async (t) => {
  const settings = {
    "method.prior.strength": { logUniform: [0.01, 1] },
    "training.gates.learningRate": { uniform: [0.001, 0.002] },
    "data.batchSize": { int: [32, 34] },
    "method.batchNorm": { choice: ["every-position", "every-second-position"] },
  };
  const draws = (count: number, seed: number, chosen: object = settings) =>
    plan({ random: { count, seed, settings: chosen } }).runs.map((run) => run.settings);
  lawHolds(
    t,
    fc.record({ count: fc.integer({ min: 1, max: 8 }), seed: fc.nat() }),
    ({ count, seed }) => {
      const drawn = draws(count, seed);
      for (const run of drawn) {
        const [strength, rate, size] = Object.values(run) as number[];
        expect(strength! >= 0.01 && strength! <= 1 && rate! >= 0.001 && rate! <= 0.002, JSON.stringify(run));
        expect([32, 33, 34].includes(size!), `${size}`);
      }
      expect(JSON.stringify(draws(count + 3, seed).slice(0, count)) === JSON.stringify(drawn), "more runs, same first");
      const alone = draws(count, seed, { "method.prior.strength": settings["method.prior.strength"] });
      alone.forEach((run, index) => {
        const path = "method.prior.strength";
        expect(run[path] === drawn[index]![path], "whatever else is drawn");
      });
    },
    10,
  );
  t.notSame(draws(4, 1), draws(4, 2));
  const sizes = new Set(draws(60, 3).map((run) => run["data.batchSize"]));
  t.same(sizes.size, 3, "both bounds of an integer are drawn");
});

t.test("settings that hold others are replaced whole, and refined by longer paths", async (t) => {
  const { runs } = plan({
    list: [
      { "method.weights": 2, method: { name: "fixed", weights: 4 } },
      { "network.name": "lenet5", seed: 3 },
    ],
  });
  t.match(runs[0]!.config.method, { name: "fixed", weights: 2, activations: 8 });
  t.equal(runs[1]!.config.method.name, "bayesian-bits");
});

t.test("runs get the runner's threads, unless they say theirs", async (t) => {
  const { runs } = plan({ list: [{ seed: 1 }, { "engine.threads": 2 }] });
  t.strictSame(
    runs.map(({ config }) => config.engine.threads),
    [1, 2],
  );
});

t.test("runs that would be the same are planned once", async (t) => {
  const { runs, duplicates } = plan({ grid: { seed: [1, 2] }, list: [{ name: "again", seed: 2 }] });
  t.strictSame([runs.length, duplicates], [2, 1]);
});

t.test("everything that is wrong is told at once, with the runs and the place", async (t) => {
  const message = complaint(
    {
      grid: { "method.prior.strength": [0.1, -1], "training.epochs": [3, "many"] },
      list: [{ name: "odd", method: { name: "fixed", weights: 3 } }, { "training.epoch": 3 }],
    },
    { data: { batchSize: 0 } },
  );
  t.match(message, /all runs: data.batchSize: expected more than 0, got 0 \(.*sweep.yaml:4\)/);
  t.match(
    message,
    /runs strength--1_epochs-3, strength--1_epochs-many: method.prior.strength: .*got -1 \(.*sweep.yaml:\d+\)/,
  );
  t.match(message, /training.epochs: expected a number, got "many"/);
  t.match(message, /run odd: method.weights: expected .*got 3 \(.*sweep.yaml:\d+\)/);
  t.match(message, /run epoch-3: training.epoch: is not a setting/);
});

t.test("what is no sweep is refused", async (t) => {
  t.match(complaint({}), /sweep: expected a grid, a list or random runs/);
  t.match(complaint({ grid: { seed: [] } }), /sweep.grid.seed/);
  t.match(complaint({ grid: { "a.__proto__.b": [1] } }), /expected the path of a setting/);
  t.match(
    complaint({ grid: { seed: Array.from({ length: 101 }, (_, n) => n), "data.batchSize": Array(100).fill(1) } }),
    /at most 10000 runs, got 10100/,
  );
  t.match(complaint({ grid: { name: ["a"] } }), /named by what differs/);
  t.match(complaint({ list: [{ name: "A" }, { name: "a", seed: 2 }] }), /another run has the name "a"/);
  t.match(
    complaint({ random: { count: 2, settings: { seed: { int: [3, 1] } } } }),
    /two integers, the smaller one first/,
  );
  t.match(
    complaint({ grid: { seed: [1] }, slurm: { options: ["--array=1", "--x=a\nb"] } }),
    /none of what the sweep sets/,
  );
  t.match(complaint({ grid: { seed: [1] }, slurm: { time: "1 hour" } }), /a time limit/);
});
