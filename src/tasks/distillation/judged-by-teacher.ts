import { first } from "../../core/elements.ts";
import type { Metric } from "../metric.ts";
import type { Task } from "../task.ts";

/**
 * A task on samples without labels: what a teacher says of them counts as right, and the metrics say how near the network
 * comes to it. Of values, R² comes first: it has no unit.
 */
export function judgedByTeacher<Findings>(task: Task<Findings>): Task<Findings> {
  const { metrics } = task.description;
  const main = metrics.find(({ key }) => key === "r2") ?? first(metrics);
  const others = metrics.filter(({ key }) => key !== main.key);
  return {
    ...task,
    description: { ...task.description, metrics: [agreement(main), ...others.map(agreement)], judge: "teacher" },
  };
}

const agreement = (metric: Metric): Metric => ({
  ...metric,
  label: metric.isShare ? `${metric.label} agreement with the teacher` : `${metric.label} against the teacher`,
});
