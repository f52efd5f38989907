import type { Metric, TaskDescription } from "../metric.ts";

const top1: Omit<Metric, "chance"> = {
  key: "top1",
  label: "top-1",
  unit: "%",
  digits: 2,
  better: "higher",
  isShare: true,
};

/** What a classifier is judged by. */
export const describeClassification = (classes: number): TaskDescription => ({
  metrics: [{ ...top1, chance: 100 / classes }],
  loss: { label: "cross-entropy", unit: "", digits: 4, chance: Math.log(classes) },
});
