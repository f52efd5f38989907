import t from "tap";
import { median } from "../../src/core/median.ts";

t.test("the median of an even number of values is the mean of the two in the middle", async (t) => {
  t.equal(median([9, 1, 3]), 3);
  t.equal(median([9, 1, 3, 5]), 4);
  t.ok(Number.isNaN(median([])));
});
