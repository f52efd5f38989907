import { z } from "zod";
import { guards } from "./guards-settings.ts";
import { loss, teacherProblem } from "./loss-settings.ts";
import { layerwiseMethods } from "./methods/layerwise-settings.ts";
import { count, positive } from "./numbers.ts";

/** Shares of PyTorch's OneCycleLR. */
const ONE_CYCLE = { warmUp: 0.3, start: 0.04 } as const;

const schedule = z
  .union([
    z.enum(["constant", "linear-decay", "cosine"]).transform((name) => ({ name })),
    z.literal("one-cycle").transform((name) => ({ name, warmUp: ONE_CYCLE.warmUp, start: ONE_CYCLE.start })),
    z.strictObject({ name: z.enum(["constant", "linear-decay", "cosine"]).describe("the schedule") }),
    z.strictObject({
      name: z.literal("multistep").describe("the schedule"),
      milestones: z.array(count).min(1).describe("epochs at which the rate is multiplied"),
      factor: positive.default(0.1).describe("by how much"),
    }),
    z.strictObject({
      name: z.literal("one-cycle").describe("the schedule"),
      warmUp: z.number().gt(0).lt(1).default(ONE_CYCLE.warmUp).describe("share of the epochs in which the rate rises"),
      start: z.number().min(0).lt(1).default(ONE_CYCLE.start).describe("share of the base rate that it begins with"),
    }),
  ])
  .describe(
    "how the learning rate changes: linear-decay is constant, then linear to 0 over the last third, epoch by epoch; cosine falls to 0 batch by batch; one-cycle rises to the base rate and falls to 0, batch by batch",
  );

interface Defaults {
  readonly schedule: "constant" | "linear-decay" | "cosine";
  readonly learningRate?: number;
  /** Where the optimizer is left out. */
  readonly optimizer?: "adam" | "sgd";
}

const group = (what: string, { schedule: decay, learningRate = 1e-3, optimizer = "adam" }: Defaults) =>
  z
    .discriminatedUnion("optimizer", [
      z.strictObject({
        optimizer: z.literal("adam").default("adam").describe("Adam"),
        learningRate: positive.default(learningRate).describe("base learning rate"),
        schedule: schedule.default({ name: decay }),
        weightDecay: z.number().min(0).default(0).describe("L2 penalty added to the gradient"),
      }),
      z.strictObject({
        optimizer: z.literal("sgd").describe("SGD with momentum"),
        learningRate: positive.default(learningRate).describe("base learning rate"),
        momentum: z.number().min(0).lt(1).default(0.9).describe("momentum"),
        nesterov: z.boolean().optional().describe("whether steps look ahead (Nesterov), as they do if left out"),
        schedule: schedule.default({ name: decay }),
        weightDecay: z.number().min(0).default(0).describe("L2 penalty added to the gradient"),
      }),
    ])
    .prefault({ optimizer })
    .describe(what);

const finetune = z
  .strictObject({
    epochs: count.describe("passes over the training images"),
    weights: group("weights and biases", { schedule: "cosine", learningRate: 1e-4, optimizer: "sgd" }),
    ranges: group("the quantizers' ranges", { schedule: "cosine", learningRate: 1e-4 }),
  })
  .describe(
    "after training: gates at their test-time values, batch normalization frozen (its running statistics; where it is not folded into a layer, its scale and shift too), weights and ranges refined",
  );

const pretrain = z
  .strictObject({
    epochs: count.describe("passes over the training images"),
    weights: group("weights and biases", { schedule: "linear-decay" }),
  })
  .describe(
    "before training: the network in float32, without quantizers, where it starts from no useful weights; the epochs of all other settings count from its end",
  );

export const training = z
  .strictObject({
    epochs: z
      .int()
      .min(0)
      .default(0)
      .describe("passes over the training images; methods that quantize a trained network have none"),
    weights: group("weights and biases", { schedule: "linear-decay" }),
    gates: group("the gates' parameters", { schedule: "constant" }),
    ranges: group("the quantizers' ranges", { schedule: "constant" }),
    fixGatesAfter: count
      .optional()
      .describe(
        "epochs after which gates stay at their test-time values, while the weights still learn; 80 % of them where a budget is to be met",
      ),
    loss,
    pretrain: pretrain.optional(),
    finetune: finetune.optional(),
    from: z
      .string()
      .optional()
      .describe("folder of a run of the same network, or its checkpoint, whose weights this run starts from"),
    equalize: z
      .boolean()
      .default(false)
      .describe("whether the ranges of those weights are equalized across layers first, as for post-training"),
    guards,
  })
  .prefault({})
  .describe(
    "how long and with which optimizers; of this, methods that quantize a trained network read from and equalize alone",
  );

/** What holds between the settings of training, and between them and the method. */
export function checkTraining(
  config: {
    readonly training: z.output<typeof training>;
    readonly method: { readonly name: string };
    readonly network: object;
  },
  context: z.core.$RefinementCtx,
): void {
  const { training: settings, method, network } = config;
  if (settings.loss?.name === "distill") {
    const problem = teacherProblem(config, settings.loss);
    if (problem !== null) {
      const { setting, message } = problem;
      context.addIssue({ code: "custom", path: ["training", setting], message, input: settings[setting] });
    }
  }
  if (method.name === "product-quantization") checkCodebooks(settings, network, context);
  else if (layerwiseMethods.some((name) => name === method.name))
    checkUntrained(settings, { method: method.name, network }, context);
  else checkTrained(settings, method.name, context);
}

/** A method without training: nothing to train with, and a trained network to start from. */
function checkUntrained(
  { epochs, loss, pretrain, finetune, fixGatesAfter, from }: z.output<typeof training>,
  { method, network }: { readonly method: string; readonly network: object },
  context: z.core.$RefinementCtx,
): void {
  const refuse = (setting: string, input: unknown, message: string) =>
    context.addIssue({ code: "custom", path: ["training", setting], message, input });
  const untrained = `method ${method} quantizes a trained network and trains nothing`;
  if (epochs > 0) refuse("epochs", epochs, `expected 0: ${untrained}`);
  if (loss) refuse("loss", loss, `expected nothing: ${untrained}`);
  if (pretrain) refuse("pretrain", pretrain, `expected nothing: ${untrained}`);
  if (finetune) refuse("finetune", finetune, `expected nothing: ${untrained}`);
  if (fixGatesAfter) refuse("fixGatesAfter", fixGatesAfter, `expected nothing: ${untrained}`);
  if (from === undefined && !("file" in network))
    refuse("from", from, `expected the folder of a run, or network.file: ${untrained}`);
}

/** Codebooks come from a trained network, and learn in one phase, or not at all. */
function checkCodebooks(settings: z.output<typeof training>, network: object, context: z.core.$RefinementCtx): void {
  const { epochs, from } = settings;
  const refuse = (setting: string, input: unknown, message: string) =>
    context.addIssue({ code: "custom", path: ["training", setting], message, input });
  const learned = "method product-quantization fine-tunes the codebooks of a trained network, in training.epochs alone";
  for (const setting of ["pretrain", "finetune", "fixGatesAfter"] as const)
    if (settings[setting] !== undefined) refuse(setting, settings[setting], `expected nothing: ${learned}`);
  if (from === undefined && !("file" in network))
    refuse("from", from, `expected the folder of a run, or network.file: ${learned}`);
  if (epochs > 0) checkTrained(settings, "product-quantization", context);
}

/** Nothing happens after the last epoch. */
function checkTrained(settings: z.output<typeof training>, method: string, context: z.core.$RefinementCtx): void {
  const { epochs, fixGatesAfter, finetune, pretrain } = settings;
  if (epochs === 0) {
    const message = `expected at least 1: method ${method} trains`;
    context.addIssue({ code: "custom", path: ["training", "epochs"], message, input: epochs });
    return;
  }
  const refuse = (path: readonly string[], input: unknown, what: string, last: string, value: number) =>
    context.addIssue({
      code: "custom",
      path: ["training", ...path],
      message: `expected ${what} before the last epoch (${last} is ${value})`,
      input,
    });
  const stretches = [
    { path: [], epochs, groups: { weights: settings.weights, gates: settings.gates, ranges: settings.ranges } },
    ...(pretrain ? [{ path: ["pretrain"], epochs: pretrain.epochs, groups: { weights: pretrain.weights } }] : []),
    ...(finetune
      ? [
          {
            path: ["finetune"],
            epochs: finetune.epochs,
            groups: { weights: finetune.weights, ranges: finetune.ranges },
          },
        ]
      : []),
  ];
  for (const { path, epochs, groups } of stretches) {
    const last = ["training", ...path, "epochs"].join(".");
    for (const [name, { schedule }] of Object.entries(groups)) {
      if (schedule.name === "multistep" && schedule.milestones.some((milestone) => milestone >= epochs))
        refuse([...path, name, "schedule", "milestones"], schedule.milestones, "milestones", last, epochs);
    }
  }
  if (settings.equalize && settings.from === undefined) {
    const message = "expected training.from beside it: it equalizes the weights that training starts from";
    context.addIssue({ code: "custom", path: ["training", "equalize"], message, input: true });
  }
  if (fixGatesAfter !== undefined && fixGatesAfter >= epochs)
    refuse(["fixGatesAfter"], fixGatesAfter, "a number", "training.epochs", epochs);
}
