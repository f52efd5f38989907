import fc from "fast-check";
import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const adam = { optimizer: "adam" };
const training = { epochs: 1, weights: adam, gates: adam, ranges: adam };
const plain = { name: "x", data: { name: "mnist" }, network: { name: "lenet5" }, method: { name: "fp32" }, training };

/** What is wrong with a configuration: path and message of each mistake. */
function mistakes(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const { error } = configSchema.safeParse({ ...plain, ...settings });
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

t.test("the least configuration has defaults for the rest", async (t) => {
  t.match(configSchema.parse(plain), { seed: 1, note: "", data: { batchSize: 128 } });
  t.strictSame(mistakes({ other: 1 }), [': Unrecognized key: "other"']);
});

t.test("int8 images are for forms that take them", async (t) => {
  for (const form of ["tflite", "c-array"]) t.strictSame(mistakes({ export: { form, input: "int8" } }), []);
  t.match(mistakes({ export: { input: "int8" } })[0], /^export\.input: files of form compact take uint8 pixels/);
});

t.test("a run's name can be a folder's on every system", async (t) => {
  const allowed = (name: string) => mistakes({ name }).length === 0;
  for (const name of ["a", "7", "a.b_c-d e", "été", "x".repeat(100)]) t.ok(allowed(name), name);
  for (const name of ["", ".a", "-a", " a", "_a", "a/b", "a\\b", "a\n", "x".repeat(101)]) t.notOk(allowed(name), name);
  t.match(mistakes({ name: "a/b" })[0], /^name: letters, digits, .* at most 100, a letter or digit first$/);
  const { name } = configSchema.shape;
  const unit = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));
  lawHolds(t, fc.string({ unit: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), unit), minLength: 1 }), (text) => {
    if (name.safeParse(text).success)
      expect(!/[/\\:*?"<>|\p{C}]/u.test(text) && !/^[. ]/.test(text), JSON.stringify(text));
  });
});

t.test("a seed is a whole number that survives JSON", async (t) => {
  for (const seed of [0, Number.MAX_SAFE_INTEGER]) t.strictSame(mistakes({ seed }), [], `${seed}`);
  for (const seed of [-1, 1.5, 2 ** 53, "1"]) t.match(mistakes({ seed })[0], /^seed: /, `${seed}`);
});

t.test("sensitivity needs held-out images to choose by", async (t) => {
  const method = { name: "sensitivity", target: { relativeBops: 5 } };
  t.strictSame(mistakes({ method }), [
    "data.validationShare: expected more than 0: method sensitivity chooses by held-out images",
  ]);
  t.strictSame(mistakes({ method, data: { name: "mnist", validationShare: 0.1 } }), []);
});

t.test("beside a budget training does not end early", async (t) => {
  const budget = { name: "bayesian-bits", prior: { target: { relativeBops: 5 } } };
  const ending = (action: string) => ({ ...training, guards: { noImprovement: { action } } });
  t.strictSame(mistakes({ method: budget, training: ending("finish") }), [
    "training.guards.noImprovement.action: expected warn: beside a budget training goes on until its gates are fitted to it",
  ]);
  t.strictSame(mistakes({ method: budget, training: ending("warn") }), []);
  t.strictSame(mistakes({ method: { name: "bayesian-bits" }, training: ending("finish") }), []);
  t.strictSame(mistakes({ training: ending("finish") }), []);
});

t.test("at least two images are left to train on", async (t) => {
  const limited = (train: number, validationShare = 0) =>
    mistakes({ data: { name: "mnist", limit: { train }, validationShare } });
  t.strictSame(limited(1), ["data.limit.train: expected at least 2 training images to be left: ranges start from two"]);
  t.strictSame(limited(2), []);
  t.equal(limited(3, 0.5).length, 1);
  t.strictSame(limited(4, 0.5), []);
  t.strictSame(mistakes({ data: { name: "mnist", limit: { test: 1 } } }), []);
});
