import { z } from "zod";
import { positive } from "./numbers.ts";

const task = z.strictObject({
  name: z.literal("task").describe("the loss: the task's own, which reads labels"),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("share of the label's probability that all classes have in equal parts, as 0.1"),
});

const distillation = z.strictObject({
  name: z.literal("distill").describe("the loss: distance from a teacher's outputs"),
  temperature: positive
    .default(1)
    .describe(
      "what logits of classes are divided by before they become probabilities: the higher, the more the unlikely classes count",
    ),
  weight: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("share of the distance from the teacher in the loss; the rest is the task's loss, which reads labels"),
  teacher: z
    .string()
    .min(1)
    .optional()
    .describe(
      "ONNX file of the teacher, for the same samples and outputs; without it, the float32 network that training starts from",
    ),
  cache: z
    .boolean()
    .optional()
    .describe(
      "whether the teacher is asked once for each sample, and the machine's cache keeps its outputs for further epochs and runs; needs training images that nothing changes at random",
    ),
});

/** What training lowers beside the prior. */
export const loss = z
  .union([
    z.literal("task").transform(() => task.parse({ name: "task" })),
    z.literal("distill").transform(() => distillation.parse({ name: "distill" })),
    z.discriminatedUnion("name", [task, distillation]),
  ])
  .optional()
  .describe(
    "what is lowered: the task's own loss, or distill, the distance from a teacher's outputs, which needs no labels; without it, the task's, but distill where the data has no labels, and for product-quantization",
  );

/** How a network learns from a teacher. */
export type Distillation = z.output<typeof distillation>;
type LossConfig = z.output<typeof loss>;

interface Learning {
  readonly training: { readonly loss?: LossConfig; readonly from?: string | undefined; readonly pretrain?: unknown };
  readonly method: { readonly name: string };
  readonly network: object;
}

/**
 * How a configuration's network learns from a teacher; null: it learns its task from labels.
 *
 * @param isLabelled Whether the data has labels.
 */
export function distillationOf({ training, method }: Learning, isLabelled: boolean): Distillation | null {
  const { loss: chosen } = training;
  if (chosen !== undefined) return chosen.name === "distill" ? chosen : null;
  const learnsFromFloat = !isLabelled || method.name === "product-quantization";
  return learnsFromFloat ? distillation.parse({ name: "distill" }) : null;
}

/** Why a teacher's outputs cannot be kept; null where they can. */
export function cacheProblem(
  { loss }: Learning["training"],
  data: { readonly augmentation?: Readonly<Record<string, unknown>> | undefined },
): string | null {
  if (loss?.name !== "distill" || !loss.cache) return null;
  const changes = Object.entries(data.augmentation ?? {}).flatMap(([name, change]) => (change ? [name] : []));
  if (changes.length === 0) return null;
  return `expected nothing beside data.augmentation (${changes.join(", ")}): it makes other images of the training images in each epoch, and the teacher is asked for each`;
}

/** Why there is no teacher for a distillation: the setting, and what is expected of it; null where there is one. */
export function teacherProblem(
  { training, network }: Learning,
  { teacher }: Distillation,
): { readonly setting: "from" | "pretrain"; readonly message: string } | null {
  if (teacher !== undefined) return null;
  if (training.pretrain !== undefined) {
    const message =
      "expected nothing beside training.loss distill: the float32 network that training starts from is the teacher; pretrain in a run of its own, or name a file as training.loss.teacher";
    return { setting: "pretrain", message };
  }
  if (training.from !== undefined || "file" in network) return null;
  const message =
    "expected the folder of a run, or network.file, or training.loss.teacher: training.loss distill learns from a trained network";
  return { setting: "from", message };
}
