import type { Spread } from "../../src/report/comparison/spread.ts";
import { shown } from "../../src/report/page/metrics.ts";
import { digitsText, type Metric } from "../../src/tasks/metric.ts";

/** A metric's mean, of several runs with the sample standard deviation: `99.30 ± 0.05 %`. */
export const metricMean = (metric: Metric, { mean, deviation }: Spread): string =>
  deviation === null ? shown(metric, mean) : `${digitsText(metric, mean)} ± ${shown(metric, deviation)}`;
