import type { AgainstFloat } from "../runs/against-float.ts";
import { differenceInterval } from "../tasks/difference-interval.ts";
import type { QuantizedRecord } from "./quantized-record.ts";

const top1Metric: AgainstFloat["metric"] = {
  ...{ key: "top1", label: "top-1", unit: "%", digits: 2 },
  ...{ better: "higher", chance: null, isShare: true },
};

/** The share of labels that a quantized file gets right, against the file that went in; null: there were no labels. */
export function againstFile({ comparison }: Pick<QuantizedRecord, "comparison">): AgainstFloat | null {
  for (const { top1, top1Float } of comparison?.outputs ?? []) {
    if (comparison === null || top1 === null || top1Float === null) continue;
    return {
      ...{ metric: top1Metric, reference: "quantized-from", source: "the file that went in" },
      ...{ float: top1Float, value: top1, difference: top1 - top1Float },
      interval: differenceInterval(top1, top1Float, [comparison.samples, comparison.samples]),
    };
  }
  return null;
}
