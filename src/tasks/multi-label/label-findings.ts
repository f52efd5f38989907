import { z } from "zod";
import { listOf } from "../../core/list-schema.ts";
import type { EvaluatedBatch, Examiner } from "../task.ts";
import { averagePrecision } from "./average-precision.ts";
import { MultiLabelScores } from "./label-scores.ts";

const count = z.int().nonnegative();

/** What is found of a network that gives labels on the test set. */
export const labelFindings = z.object({
  task: z.literal("multi-label"),
  labels: listOf(
    z.object({
      averagePrecision: z.number().min(0).max(1).nullable().describe("null: no test image has the label"),
      images: count.describe("test images that have the label"),
      found: count.describe("of these, those to which the network gives it, at probability 1/2"),
      given: count.describe("images to which it gives the label"),
    }),
  ),
});

export type LabelFindings = z.infer<typeof labelFindings>;

/** Looks at each label by itself. */
export class LabelExaminer implements Examiner<LabelFindings> {
  readonly #scores: MultiLabelScores;

  constructor(outputs: number) {
    this.#scores = new MultiLabelScores(outputs);
  }

  add(batch: EvaluatedBatch): void {
    this.#scores.add(batch);
  }

  get findings(): LabelFindings {
    const labels = this.#scores.labels.map(({ logits, positive }) => {
      const has = positive.map((bit) => bit === 1);
      const gives = logits.map((logit) => logit > 0);
      return {
        averagePrecision: averagePrecision(logits, positive),
        images: has.filter(Boolean).length,
        found: has.filter((one, index) => one && gives[index]).length,
        given: gives.filter(Boolean).length,
      };
    });
    return { task: "multi-label", labels };
  }
}
