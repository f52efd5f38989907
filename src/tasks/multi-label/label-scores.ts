import type { Targets } from "../../data/targets.ts";
import type { Metrics } from "../metric.ts";
import type { Evaluator } from "../task.ts";
import { averagePrecision } from "./average-precision.ts";

/** Whether images have labels. The data set has been opened for this task: other targets are a defect. */
export function labelBits({ kind, values }: Targets): Uint8Array {
  if (kind !== "labels") throw new Error(`labels of ${kind}`);
  return values;
}

/** What is known of one label: its logits, and whether images have it. */
export interface LabelScores {
  readonly logits: number[];
  readonly positive: number[];
}

/** Keeps all logits, label by label. */
export class MultiLabelScores implements Evaluator {
  readonly labels: readonly LabelScores[];

  constructor(outputs: number) {
    this.labels = Array.from({ length: outputs }, () => ({ logits: [], positive: [] }));
  }

  add({ outputs, targets }: Parameters<Evaluator["add"]>[0]): void {
    const width = this.labels.length;
    labelBits(targets).forEach((bit, index) => {
      const label = this.labels[index % width]!;
      label.logits.push(outputs[index]!);
      label.positive.push(bit);
    });
  }

  /** Percent: the mean over the labels that an image has, and the share of all answers that are right at probability 1/2. */
  get metrics(): Metrics {
    const precisions = this.labels.flatMap(({ logits, positive }) => averagePrecision(logits, positive) ?? []);
    const answers = this.labels.flatMap(({ logits, positive }) =>
      logits.map((logit, index) => logit > 0 === (positive[index] === 1)),
    );
    const right = answers.filter(Boolean).length;
    return {
      map: precisions.length === 0 ? 0 : (100 * precisions.reduce((sum, value) => sum + value, 0)) / precisions.length,
      labelsRight: (100 * right) / answers.length,
    };
  }
}
