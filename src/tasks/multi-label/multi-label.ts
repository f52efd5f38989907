import { first } from "../../core/elements.ts";
import { outputsOf, type TargetDescription } from "../../data/targets.ts";
import { type ElementLoss, hostLoss } from "../host-loss.ts";
import type { Metric, TaskDescription } from "../metric.ts";
import type { Task } from "../task.ts";
import { ValueAgreement } from "../value-agreement.ts";
import { LabelExaminer, type LabelFindings } from "./label-findings.ts";
import { labelBits, MultiLabelScores } from "./label-scores.ts";

const percent = { unit: "%", digits: 2, better: "higher", isShare: false } as const;

const map: Metric = { ...percent, key: "map", label: "mAP", chance: null };

const description: TaskDescription = {
  metrics: [map, { ...percent, key: "labelsRight", label: "of labels right", chance: null }],
  loss: { label: "binary cross-entropy", unit: "", digits: 4, chance: Math.LN2 },
};

/** log(1 + e^x) - x·y of a logit x, without overflow, and its slope, sigmoid(x) - y. */
const binaryCrossEntropy: ElementLoss = (logit, label) => [
  Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit))),
  1 / (1 + Math.exp(-logit)) - label,
];

/** Any number of labels for each image: binary cross-entropy on logits, judged by the mean average precision. */
export const multiLabel = {
  targets: "labels",
  outputKind: "classes",
  create: (described: TargetDescription): Task<LabelFindings> => {
    const outputs = outputsOf(described);
    return {
      name: "multi-label",
      outputs,
      units: outputs,
      softmax: null,
      description,
      labelsFrom: (logits) => ({ kind: "labels", values: Uint8Array.from(logits, (logit) => (logit > 0 ? 1 : 0)) }),
      targets: (ops, { count, targets }) => [ops.tensor(Float32Array.from(labelBits(targets)), [count, outputs])],
      loss: (ops, logits, labels) => hostLoss(ops, logits, first(labels), binaryCrossEntropy),
      sums(ops, logits, labels) {
        const [bits, given] = [ops.read(first(labels)), ops.read(logits)];
        let right = 0;
        for (const [index, logit] of given.entries()) if (logit > 0 === (bits[index] === 1)) right++;
        return { right: right / outputs };
      },
      figures: ({ right = 0 }, images) => ({ labelsRight: (100 * right) / images }),
      evaluator: () => new MultiLabelScores(outputs),
      answers: () => null,
      examiner: () => new LabelExaminer(outputs),
      agreement: (trainer) =>
        new ValueAgreement(outputs, trainer, {
          evaluator: () => new MultiLabelScores(outputs),
          main: map,
          isRootMeanSquare: false,
        }),
    };
  },
} as const;
