import fc from "fast-check";
import t from "tap";
import { thin, thinned } from "../../../src/report/charts/thin.ts";

t.test(
  "few positions are all drawn; of many, as many as may be, in order, the first and the last among them",
  async (t) => {
    t.strictSame(thin(3, 5), [0, 1, 2]);
    t.strictSame(thin(0, 5), []);
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.integer({ min: 3, max: 5000 }), fc.integer({ min: 2, max: 300 }), (count, most) => {
          const drawn = thin(count, most);
          const rises = drawn.every((position, index) => index === 0 || position > drawn[index - 1]!);
          return drawn.length === Math.min(count, most) && drawn[0] === 0 && drawn.at(-1) === count - 1 && rises;
        }),
        { seed: 13 },
      ),
    );
  },
);

t.test("a figure keeps its values at the positions that are drawn", async (t) => {
  const values = Array.from({ length: 1000 }, (_, index) => index * index);
  const { categories, series } = thinned({
    categories: values.map((_, index) => String(index)),
    series: [{ name: "a", values }],
  });
  t.equal(categories.length, 200);
  categories.forEach((category, index) => {
    if (series[0]!.values[index] !== Number(category) ** 2) t.fail(category);
  });
  t.equal(series[0]!.values.at(-1), 999 * 999);
});
