import t from "tap";
import {
  digitsText,
  figureText,
  gainOf,
  type Metric,
  mainFigure,
  mainValue,
  metricsText,
  namedText,
  valueText,
} from "../../src/tasks/metric.ts";

const share: Metric = {
  key: "share",
  label: "share",
  unit: "%",
  digits: 2,
  better: "higher",
  chance: null,
  isShare: true,
};
const error: Metric = {
  ...share,
  key: "error",
  label: "error",
  unit: "",
  digits: null,
  better: "lower",
  isShare: false,
};
const task = { metrics: [share, error] as [Metric, Metric] };

t.test("a value has its digits and its unit", async (t) => {
  t.equal(valueText(share, 99.061), "99.06 %");
  t.equal(valueText(error, 0.0123456), "0.01235");
  t.equal(valueText(error, 1234567), "1235000");
  t.equal(digitsText(share, 5), "5.00");
  t.equal(figureText({ ...share, value: 5 }), "5.00 % share");
  t.equal(namedText({ ...share, value: 5 }), "share 5.00 %");
});

t.test("metrics stand in a line, the main one first; those without a value are left out", async (t) => {
  t.equal(metricsText(task, { error: 0.5, share: 10 }), "10.00 % share, 0.5 error");
  t.equal(metricsText(task, { share: 10 }), "10.00 % share");
});

t.test("the main metric has a value, or there is a defect", async (t) => {
  t.equal(mainValue(task, { share: 10, error: 1 }), 10);
  t.strictSame(mainFigure(task, { share: 10 }), { key: "share", label: "share", unit: "%", digits: 2, value: 10 });
  t.throws(() => mainValue(task, { error: 1 }), /no share among the metrics error/);
});

t.test("a gain is larger the better", async (t) => {
  t.equal(gainOf(share, 3), 3);
  t.equal(gainOf(error, 3), -3);
});
