import { first } from "../../core/elements.ts";
import { square } from "../../core/powers.ts";
import { requireImages } from "../../data/require-images.ts";
import type { TargetDescription } from "../../data/targets.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { Metric, TaskDescription } from "../metric.ts";
import { squaredError } from "../squared-error.ts";
import type { SampleDescription, Task } from "../task.ts";
import { ValueAgreement } from "../value-agreement.ts";
import { ImageErrors } from "./image-errors.ts";
import { ReconstructionExaminer, type ReconstructionFindings } from "./reconstruction-findings.ts";

const plain = { unit: "", digits: null, isShare: false } as const;
const auc: Metric = { ...plain, digits: 4, key: "auc", label: "AUC", better: "higher", chance: 0.5 };
const mse: Metric = { ...plain, key: "mse", label: "reconstruction error", better: "lower", chance: null };
const r2: Metric = { ...plain, key: "r2", label: "R²", better: "higher", chance: 0 };

/**
 * The image itself, as the network sees it: mean squared error. Where classes say what is an anomaly, how well the error
 * tells these from the others comes first.
 */
export const reconstruction = {
  targets: null,
  outputKind: "classes",
  create: (
    targets: TargetDescription,
    { anomalies: names }: { readonly anomalies?: readonly string[] | undefined },
    samples: SampleDescription | null,
  ): Task<ReconstructionFindings> => {
    if (samples === null) throw new Error("reconstruction of no images");
    const { imageShape, normalization } = requireImages(samples, "task.name: reconstruction");
    const outputs = elementsOf(imageShape);
    const classes = targets.kind === "classes" ? targets.names : [];
    const anomalies = names === undefined ? null : new Set(names.map((name) => classes.indexOf(name)));
    const images = { outputs, normalization, anomalies };
    const main = anomalies === null ? mse : auc;
    const description: TaskDescription = {
      metrics: anomalies === null ? [mse, r2] : [auc, mse, r2],
      loss: { label: "squared error", unit: "", digits: null },
    };
    return {
      name: "reconstruction",
      outputs,
      units: outputs,
      softmax: null,
      description,
      labelsFrom: (values) => ({ kind: "values", values }),
      targets: (ops, { count, images }) => [
        ops.scope(
          () => ops.normalize(ops.tensor(images, [count, ...imageShape]), normalization),
          (normalized) => [normalized],
        ),
      ],
      loss: (ops, values, wanted) => squaredError(ops, values, ops.reshape(first(wanted), values.shape)),
      sums(ops, values, wanted) {
        const [given, pixels] = [ops.read(values), ops.read(first(wanted))];
        let squared = 0;
        for (const [index, value] of given.entries()) squared += square(value - (pixels[index] ?? 0));
        return { squared: squared / outputs };
      },
      figures: ({ squared = 0 }, images) => ({ mse: squared / images }),
      evaluator: () => new ImageErrors(images),
      answers: () => null,
      examiner: (imageShape) => new ReconstructionExaminer(images, imageShape),
      agreement: (trainer) =>
        new ValueAgreement(outputs, trainer, {
          ...{ evaluator: () => new ImageErrors(images), main, isRootMeanSquare: false, pooled: true },
        }),
    };
  },
} as const;
