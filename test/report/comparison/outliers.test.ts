import fc from "fast-check";
import t from "tap";
import { leastDrawn } from "../../../src/report/comparison/outliers.ts";

t.test("one run at chance does not squash the others, nor do two", async (t) => {
  t.equal(leastDrawn([99.3, 99.1, 98.7, 11.35], 0.2), 98.7);
  t.equal(leastDrawn([86.1, 87.8, 88, 87.9, 87, 25.9, 74.9, 89.2], 0.3), 86.1);
  t.equal(leastDrawn([99, 98, 11], 0), 98);
});

t.test("what spreads evenly, what is far above, and what differs by noise alone is drawn whole", async (t) => {
  t.equal(leastDrawn([85, 90, 95, 97, 98, 98.5, 99, 99.1, 99.2], 0.2), null, "a front falls off");
  t.equal(leastDrawn([11, 11.2, 11.1, 99], 0.2), null, "the one that works");
  t.equal(leastDrawn([99, 99, 99, 98.9], 0.2), null, "half of an interval is 0.2");
  t.equal(leastDrawn([99, 11], 0), null, "two tell nothing of what is usual");
  t.equal(leastDrawn([], 0), null);
});

t.test("the largest and the median are always drawn, and more than half", async (t) => {
  const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 3, maxLength: 20 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(values, (all) => {
        const least = leastDrawn(all, 0);
        if (least === null) return true;
        return all.includes(least) && all.filter((value) => value >= least).length >= all.length / 2;
      }),
      { seed: 7 },
    ),
  );
});
