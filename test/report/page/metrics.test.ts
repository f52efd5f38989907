import t from "tap";
import { capital, differenceText, intervalOf, intervalText, shown } from "../../../src/report/page/metrics.ts";

const percent = { unit: "%", digits: 2 };
const plain = { unit: "", digits: null };

t.test("values have their unit, differences their sign", async (t) => {
  t.equal(shown(percent, 99.061), "99.06\u202f%");
  t.equal(shown(plain, 0.0123456), "0.01235");
  t.equal(shown({ unit: "images", digits: 0 }, 1234), "1,234 images");
  t.equal(differenceText(percent, -0.094), "−0.09 points");
  t.equal(differenceText(plain, 0.0021), "+0.0021");
  t.equal(differenceText(plain, -0.0021), "−0.0021");
  t.equal(differenceText(plain, 0), "±0");
});

t.test("an interval belongs to shares alone", async (t) => {
  t.equal(intervalText(intervalOf({ isShare: true }, 99, 10_000)), "98.79–99.18");
  t.equal(intervalOf({ isShare: false }, 99, 10_000), null);
  t.equal(intervalText(null), "–");
  t.equal(capital("top-1"), "Top-1");
});
