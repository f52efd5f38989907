import t from "tap";
import {
  bytes,
  duration,
  integer,
  moment,
  percent,
  points,
  share,
  significant,
} from "../../../src/report/page/format.ts";

const cases: readonly (readonly [string, string])[] = [
  [integer(1234567), "1,234,567"],
  [percent(99.0612), "99.06\u202f%"],
  [significant(0.40771), "0.408"],
  [significant(1234.5), "1,230"],
  [significant(0), "0"],
  [significant(0.0000123), "1.23e-5"],
  [significant(0.00001, 4), "1e-5"],
  [significant(0.000012, 4), "1.2e-5"],
  [bytes(999), "999\u202fB"],
  [bytes(61_960), "62.0\u202fkB"],
  [bytes(250_400), "250\u202fkB"],
  [bytes(2_328_104), "2.33\u202fMB"],
  [duration(18.64), "18.6\u202fs"],
  [duration(119.6), "2\u202fmin 0\u202fs"],
  [duration(3725), "1\u202fh 2\u202fmin"],
  [moment("2026-03-01T09:12:04.000Z"), "2026-03-01 09:12 UTC"],
  [moment("yesterday"), "yesterday"],
  [points(-0.09), "−0.09 points"],
  [points(0), "±0.00 points"],
  [points(0.004), "±0.00 points"],
  [points(0.21), "+0.21 points"],
  [`${share(1, 4)} ${share(0, 0)}`, "25 0"],
];

t.test("figures are written as a reader expects", async (t) => {
  for (const [actual, expected] of cases) t.equal(actual, expected, expected);
});
