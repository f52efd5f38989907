import fc from "fast-check";
import t from "tap";
import { axisOf } from "../../../src/report/charts/axis.ts";

t.test("an axis has round numbers on it", async (t) => {
  t.strictSame(axisOf([98.6, 99.3]).ticks, [98.6, 98.8, 99, 99.2]);
  const wide = axisOf([0.2, 100], { logarithmic: true });
  t.ok(wide.logarithmic);
  t.strictSame(wide.ticks, [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  t.notOk(axisOf([0, 100], { logarithmic: true }).logarithmic, "zero has no logarithm");
});

t.test("all values lie inside, in order, whatever they are; some are labelled", async (t) => {
  const values = fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 8 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(values, fc.boolean(), (some, logarithmic) => {
        const { at, ticks } = axisOf(some, { logarithmic });
        const places = some.toSorted((one, other) => one - other).map(at);
        return (
          places.every((place, index) => place >= 0 && place <= 1 && (index === 0 || place >= places[index - 1]!)) &&
          ticks.length > 0 &&
          ticks.every(Number.isFinite)
        );
      }),
      { seed: 2 },
    ),
  );
});
