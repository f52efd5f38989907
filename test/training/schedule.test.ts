import fc from "fast-check";
import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { multiplier, type Schedule } from "../../src/training/schedule.ts";

const near = (one: number, other: number) => Math.abs(one - other) < 1e-12;

t.test("one-cycle rises to the base rate, and falls to nothing", async () => {
  const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
  fc.assert(
    fc.property(share, share, fc.integer({ min: 1, max: 300 }), share, (warmUp, start, epochs, moment) => {
      const schedule: Schedule = { name: "one-cycle", warmUp, start };
      const at = (share: number) => multiplier(schedule, share * epochs, epochs);
      const [before, after] = [at(moment), at(Math.min(1, moment + 0.02))];
      const rises = moment + 0.02 <= warmUp;
      const falls = moment >= warmUp;
      return (
        near(at(0), start) &&
        near(at(warmUp), 1) &&
        near(at(1), 0) &&
        (!rises || after > before) &&
        (!falls || after < before)
      );
    }),
  );
});

t.test("it is set by its name, or with its shares", async (t) => {
  const parsed = (schedule: unknown) =>
    configSchema.parse({
      ...{ name: "x", data: { name: "mnist" }, network: { name: "lenet5" }, method: { name: "fp32" } },
      training: { epochs: 2, weights: { schedule } },
    }).training.weights.schedule;
  t.strictSame(parsed("one-cycle"), { name: "one-cycle", warmUp: 0.3, start: 0.04 });
  t.strictSame(parsed({ name: "one-cycle", warmUp: 0.1 }), { name: "one-cycle", warmUp: 0.1, start: 0.04 });
  t.strictSame(parsed("cosine"), { name: "cosine" });
});
