import fc from "fast-check";
import t from "tap";
import { parseConfig } from "../../../src/config/parse-config.ts";
import type { RunSettings } from "../../../src/config/schema.ts";
import { differingSettings, groupRuns, settingsOf } from "../../../src/report/comparison/configurations.ts";
import { spreadOf } from "../../../src/report/comparison/spread.ts";
import type { RunRecord } from "../../../src/runs/record.ts";
import { sampleRecord } from "../../fixtures/sample-record.ts";

const seed = 5;

function run(name: string, seed: number, strength: number): RunRecord {
  const record = sampleRecord();
  const method = { name: "bayesian-bits", prior: { strength } } as const;
  const config = parseConfig({ ...record.config, name, seed, note: `seed ${seed}`, method });
  return { ...record, name, seed, config };
}

t.test("runs that differ in seed, name, note and threads alone are one configuration", async (t) => {
  const withEngine = (one: RunRecord, engine: RunSettings["engine"]) => ({
    ...one,
    config: parseConfig({ ...one.config, engine }),
  });
  const names = (...runs: RunRecord[]) => groupRuns(runs).map((group) => group.runs.map(({ name }) => name));
  t.strictSame(names(run("a", 1, 0.1), run("b", 1, 0.3), run("a-again", 2, 0.1)), [["a", "a-again"], ["b"]]);
  const [one, two] = [run("one", 1, 0.1), run("two", 2, 0.1)];
  t.strictSame(
    names(
      withEngine(one, { precision: "float32", threads: 1 }),
      withEngine(two, { precision: "float32", threads: 2 }),
      withEngine(two, { precision: "bfloat16", threads: 1 }),
    ),
    [["one", "two"], ["two"]],
    "a share of the machine makes no other configuration, precision does",
  );
});

t.test("configurations are called by their name where it tells them apart, else by what differs", async (t) => {
  const labels = (...runs: RunRecord[]) => groupRuns(runs).map(({ label }) => label);
  t.strictSame(labels(run("a", 1, 0.1), run("b", 1, 0.3)), ["a", "b"]);
  t.strictSame(labels(run("a", 1, 0.1), run("a", 1, 0.3)), ["strength 0.1", "strength 0.3"]);
  t.strictSame(labels(run("a", 1, 0.1), run("a", 2, 0.1)), ["a"]);
  const of = (epochs: number, strength: number, kind: "bop" | "const") => {
    const one = run("a", 1, strength);
    const method = { name: "bayesian-bits", prior: { strength, kind } } as const;
    return { ...one, config: parseConfig({ ...one.config, method, training: { epochs } }) };
  };
  t.strictSame(
    labels(of(10, 1, "bop"), of(10, 3, "const"), of(25, 4, "const")),
    ["kind bop, strength 1, …", "strength 3, kind const, …", "strength 4, epochs 25, …"],
    "first what few others share",
  );
});

t.test(
  "a configuration has its own name: seeds are left out, and one setting tells it from what has the same",
  async (t) => {
    const labels = (...runs: RunRecord[]) => groupRuns(runs).map(({ label }) => label);
    t.strictSame(
      labels(run("target-0.3_seed-1", 1, 0.3), run("target-0.3_seed-2", 2, 0.3), run("target-0.6_seed-1", 1, 0.6)),
      ["target-0.3", "target-0.6"],
    );
    t.strictSame(labels(run("seed-1", 1, 0.3), run("seed-2", 2, 0.3)), ["bayesian-bits"], "seeds are no name");
    t.strictSame(
      labels(run("seed-1_target-0.3", 1, 0.3), run("seed-2_target-0.3", 2, 0.3), run("a_seed-1_b", 1, 0.6)),
      ["target-0.3", "a_b"],
      "a seed may stand anywhere",
    );
    t.strictSame(labels(run("base", 1, 0.1), run("base", 1, 0.3), run("other", 1, 0.5)), [
      "base (strength 0.1)",
      "base (strength 0.3)",
      "other",
    ]);
  },
);

t.test("settings are dotted paths, and those that differ are found, also where one side lacks them", async (t) => {
  const config = { name: "x", data: { name: "mnist" }, training: { steps: [1, 2], nothing: null } };
  t.strictSame(
    [...settingsOf(config)],
    [
      ["data.name", '"mnist"'],
      ["training.steps", "[1,2]"],
      ["training.nothing", "null"],
    ],
  );
  t.strictSame(
    differingSettings([
      { a: 1, b: { c: 2 } },
      { a: 1, b: { c: 3, d: 4 } },
    ]),
    ["b.c", "b.d"],
  );
});

t.test(
  "grouping keeps every run once; runs of a group have the same settings, runs of two groups do not",
  async (t) => {
    const some = fc.array(
      fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 3 }), fc.constantFrom(0.1, 0.3, 1)),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    const settings = ({ config }: RunRecord) => JSON.stringify([...settingsOf(config)]);
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(some, (drawn) => {
          const runs = drawn.map(([name, seed, strength]) => run(name, seed, strength));
          const groups = groupRuns(runs);
          const kept = groups.flatMap((group) => group.runs);
          const inside = groups.every((group) => new Set(group.runs.map(settings)).size === 1);
          const apart = new Set(groups.map((group) => settings(group.runs[0]!))).size === groups.length;
          return kept.length === runs.length && runs.every((one) => kept.includes(one)) && inside && apart;
        }),
        { seed, numRuns: 40 },
      ),
    );
  },
);

t.test("the spread of 1, 2, 3, 4: mean 2.5, deviation √(5/3)", async (t) => {
  const { mean, least, most, deviation, count } = spreadOf([3, 1, 4, 2]);
  t.strictSame([mean, least, most, count], [2.5, 1, 4, 4]);
  t.ok(Math.abs(deviation! - Math.sqrt(5 / 3)) < 1e-12);
  t.equal(spreadOf([7]).deviation, null);
  t.throws(() => spreadOf([]), RangeError);
});
