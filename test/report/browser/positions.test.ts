import fc from "fast-check";
import t from "tap";
import { cellAt, indexAfter, indexAt, pixelOf } from "../../../src/report/browser/positions.ts";

t.test("the category nearest to a category's own pixel is that category", async (t) => {
  const axis = fc.record({
    first: fc.integer({ min: 0, max: 60 }),
    last: fc.integer({ min: 100, max: 1000 }),
    count: fc.integer({ min: 1, max: 200 }),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(axis, fc.nat(), (axis, number) => {
        const index = number % axis.count;
        return indexAt(axis, pixelOf(axis, index)) === index;
      }),
      { seed: 1 },
    ),
  );
});

t.test("pixels beside the axis belong to its ends", async (t) => {
  const axis = { first: 30, last: 130, count: 11 };
  t.equal(indexAt(axis, 0), 0);
  t.equal(indexAt(axis, 500), 10);
  t.equal(indexAt(axis, 46), 2, "46 lies nearer to 50 than to 40");
  t.equal(cellAt(0, 96, 12), 0);
  t.equal(cellAt(95.9, 96, 12), 11);
  t.equal(cellAt(96, 96, 12), 11);
});

t.test("of values in rows, keys up and down go from row to row and stay inside", async (t) => {
  const at = (key: string, index: number) => indexAfter(key, index, 10, 4);
  t.strictSame([at("ArrowDown", 1), at("ArrowUp", 5), at("ArrowRight", 3)], [5, 1, 4]);
  t.strictSame([at("ArrowDown", 7), at("ArrowUp", 2)], [7, 2], "there is no row beyond");
  t.equal(at("ArrowDown", -1), 0, "nothing told yet");
});

t.test("arrow keys go by one and stop at the ends; other keys go nowhere", async (t) => {
  t.equal(indexAfter("ArrowRight", 3, 5), 4);
  t.equal(indexAfter("ArrowDown", 4, 5), 4);
  t.equal(indexAfter("ArrowLeft", 3, 5), 2);
  t.equal(indexAfter("ArrowUp", 0, 5), 0);
  t.equal(indexAfter("Home", 3, 5), 0);
  t.equal(indexAfter("End", 0, 5), 4);
  t.equal(indexAfter("a", 3, 5), null);
});
