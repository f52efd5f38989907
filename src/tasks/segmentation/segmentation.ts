import { first } from "../../core/elements.ts";
import { outputsOf, type TargetDescription, voidPixel } from "../../data/targets.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { Agreement } from "../agreement.ts";
import { ClassAgreement } from "../classification/class-agreement.ts";
import type { Metric, Metrics, TaskDescription } from "../metric.ts";
import type { Loss, Task, Uploaded } from "../task.ts";
import { maskPixels, PixelConfusion, predictedPixels } from "./pixel-confusion.ts";
import { SegmentationExaminer, type SegmentationFindings } from "./segmentation-findings.ts";

const percent = { unit: "%", digits: 2, better: "higher", isShare: false } as const;
const miou: Metric = { ...percent, key: "miou", label: "mIoU", chance: null };
const pixelsRight: Metric = { ...percent, key: "pixelsRight", label: "of pixels right", chance: null };

/** A class for each pixel: softmax cross-entropy on logits, judged by the mean intersection over union. */
export const segmentation = {
  targets: "masks",
  outputKind: "pixels",
  create: (described: TargetDescription): Task<SegmentationFindings> => {
    const classes = described.kind === "masks" ? described.names.length : 0;
    const description: TaskDescription = {
      metrics: [miou, pixelsRight],
      loss: { label: "cross-entropy", unit: "", digits: 4, chance: Math.log(classes) },
    };
    return {
      name: "segmentation",
      outputs: outputsOf(described),
      units: classes,
      softmax: classes,
      description,
      labelsFrom: (logits) => ({ kind: "masks", values: predictedPixels(logits, classes) }),
      targets: (ops, { targets }) => uploaded(ops, maskPixels(targets)),
      loss: (ops, logits, targets) => pixelLoss(ops, logits, { targets, classes }),
      sums(ops, logits, targets) {
        if (targets.length === 0) return { right: 0, pixels: 0 };
        const [given, labels] = [
          ops.read(ops.argMax(knownRows(ops, logits, { targets, classes }))),
          ops.read(first(targets)),
        ];
        let right = 0;
        for (const [pixel, label] of labels.entries()) if (given[pixel] === label) right++;
        return { right, pixels: labels.length };
      },
      figures: ({ right = 0, pixels = 0 }) => ({ pixelsRight: pixels === 0 ? 0 : (100 * right) / pixels }),
      evaluator: () => new PixelConfusion(classes),
      answers: () => null,
      examiner: (imageShape) => new SegmentationExaminer(classes, imageShape),
      agreement: (trainer) => comparePixels(classes, trainer),
    };
  },
} as const;

interface Known {
  /** Classes of the pixels that count; where these are not all, their places. */
  readonly targets: Uploaded;
  readonly classes: number;
}

/** Nothing where no pixel counts. */
function uploaded(ops: Ops, mask: Uint8Array): Uploaded {
  const places = Int32Array.from(mask.keys()).filter((pixel) => mask[pixel] !== voidPixel);
  if (places.length === 0) return [];
  const labels = ops.tensor(
    Int32Array.from(places, (pixel) => mask[pixel]!),
    [places.length],
  );
  return places.length === mask.length ? [labels] : [labels, ops.tensor(places, [places.length])];
}

/** Logits of the pixels that count, [pixels, classes]. */
function knownRows(ops: Ops, logits: Tensor, { targets: [, places], classes }: Known): Tensor {
  const rows = ops.reshape(logits, [elementsOf(logits.shape) / classes, classes]);
  return places === undefined ? rows : ops.gather(rows, places, 0);
}

/** The mean over the pixels that count. */
function pixelLoss(ops: Ops, logits: Tensor, known: Known): Loss {
  const { targets, classes } = known;
  const [labels, places] = targets;
  const elements = elementsOf(logits.shape);
  if (labels === undefined)
    return {
      loss: ops.tensor(Float32Array.of(0), []),
      gradient: ops.tensor(new Float32Array(elements), logits.shape),
    };
  const { loss, gradient } = ops.crossEntropy(knownRows(ops, logits, known), labels);
  const rows = places === undefined ? gradient : ops.sumByIndex(gradient, places, elements / classes);
  return { loss, gradient: ops.reshape(rows, logits.shape) };
}

/** The classes of pixels, as those of images are compared; the metrics are of the masks. */
function comparePixels(classes: number, trainer: Metrics | null): Agreement {
  const compared = new ClassAgreement(classes, null, { each: "pixels", metric: "right of all pixels" });
  const [file, own] = [new PixelConfusion(classes), new PixelConfusion(classes)];
  let images = 0;
  return {
    add({ runtime, trainer, ...batch }) {
      images += batch.count;
      compared.add({ runtime, trainer, labels: maskPixels(batch.targets) });
      file.add({ ...batch, outputs: runtime });
      own.add({ ...batch, outputs: trainer });
    },
    get result() {
      const { sameClass } = compared.result;
      const appearance = { label: "of pixels of the same class", unit: "%", digits: 2 };
      return {
        images,
        metrics: file.metrics,
        trainerMetrics: trainer ?? own.metrics,
        agreement: [{ key: "samePixels", ...appearance, value: sameClass }],
      };
    },
    get disagreement() {
      return compared.disagreement;
    },
  };
}
