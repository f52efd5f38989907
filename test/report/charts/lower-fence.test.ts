import t from "tap";
import { lowerFence } from "../../../src/report/charts/lower-fence.ts";

t.test("a few values far below the others are outliers, by Tukey's rule", async (t) => {
  // Quartiles 10 and 14: the fence is at 4.
  const values = [9, 10, 11, 12, 13, 14, 15];
  t.equal(lowerFence([...values, -50]), 9);
  t.equal(lowerFence([...values, 4.5]), null, "above the fence");
  t.equal(lowerFence([...values, 500]), null, "far above is what one looks for");
});

t.test("equal values, and none, have no outliers", async (t) => {
  t.equal(lowerFence([]), null);
  t.equal(lowerFence([3]), null);
  t.equal(lowerFence([3, 3, 3, 3, 3, 1]), null);
});
