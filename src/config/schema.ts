import { z } from "zod";

const positive = z.number().positive();
const count = z.int().positive();

const data = z
  .strictObject({
    name: z.literal("mnist").describe("the data set"),
    folder: z
      .string()
      .optional()
      .describe("folder with the four IDX files; without it they are fetched once into the cache"),
    validationShare: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe("share of the training images that is held out for choosing"),
    batchSize: count.default(128).describe("images per training step"),
    evaluationBatchSize: count.default(1000).describe("images per step of evaluation"),
    limit: z
      .strictObject({
        train: count.optional().describe("use only the first training images"),
        test: count.optional().describe("use only the first test images"),
      })
      .optional()
      .describe("a part of the data, for trying things out"),
  })
  .describe("where the images come from and how they are batched");

const network = z
  .strictObject({ name: z.literal("lenet5").describe("a network of the zoo") })
  .describe("the network that is trained");

const phi = z.number().min(-20).max(20);
const gates = z
  .strictObject({
    initial: z
      .strictObject({
        prune: phi.default(6).describe("of the pruning gates z_2"),
        bits4: phi.default(6).describe("of z_4"),
        bits8: phi.default(6).describe("of z_8"),
        bits16: phi.default(-6).describe("of z_16"),
        bits32: phi.default(-6).describe("of z_32"),
      })
      .prefault({})
      .describe("parameter phi of the gates at the start: 6 is open, -6 is closed"),
  })
  .prefault({})
  .describe("the hard-concrete gates");

const method = z
  .strictObject({
    name: z.literal("bayesian-bits").describe("how bit-widths are chosen"),
    prior: z
      .strictObject({
        kind: z.enum(["bop", "const"]).default("bop").describe("what a level costs: bits times share of MACs, or 1"),
        strength: z.number().min(0).default(0.1).describe("prior strength mu: larger means fewer bits and channels"),
      })
      .prefault({})
      .describe("the complexity prior"),
    pruning: z.boolean().default(true).describe("whether output channels can be pruned"),
    gates,
  })
  .describe("the compression method");

const schedule = z
  .union([
    z.enum(["constant", "linear-decay", "cosine"]).transform((name) => ({ name })),
    z.strictObject({ name: z.enum(["constant", "linear-decay", "cosine"]).describe("the schedule") }),
    z.strictObject({
      name: z.literal("multistep").describe("the schedule"),
      milestones: z.array(count).min(1).describe("epochs at which the rate is multiplied"),
      factor: positive.default(0.1).describe("by how much"),
    }),
  ])
  .describe(
    "how the learning rate changes over the epochs; linear-decay is constant, then linear to 0 over the last third",
  );

const group = (what: string, decay: "constant" | "linear-decay") =>
  z
    .discriminatedUnion("optimizer", [
      z.strictObject({
        optimizer: z.literal("adam").default("adam").describe("Adam"),
        learningRate: positive.default(1e-3).describe("base learning rate"),
        schedule: schedule.default({ name: decay }),
        weightDecay: z.number().min(0).default(0).describe("L2 penalty added to the gradient"),
      }),
      z.strictObject({
        optimizer: z.literal("sgd").describe("SGD with Nesterov momentum"),
        learningRate: positive.default(1e-3).describe("base learning rate"),
        momentum: z.number().min(0).lt(1).default(0.9).describe("Nesterov momentum"),
        schedule: schedule.default({ name: decay }),
        weightDecay: z.number().min(0).default(0).describe("L2 penalty added to the gradient"),
      }),
    ])
    .prefault({})
    .describe(what);

const training = z
  .strictObject({
    epochs: count.describe("passes over the training images"),
    weights: group("weights and biases", "linear-decay"),
    gates: group("the gates' parameters", "constant"),
    ranges: group("the quantizers' ranges", "constant"),
  })
  .describe("how long and with which optimizers");

const engine = z
  .strictObject({
    kind: z
      .enum(["auto", "native", "wasm"])
      .default("auto")
      .describe("which TensorFlow: native where it is set up, else WebAssembly"),
    threads: count.optional().describe("threads of the native engine; without it, one per core"),
  })
  .prefault({})
  .describe("the numerical engine");

const checkpoint = z
  .strictObject({ everyEpochs: count.default(1).describe("epochs between two checkpoints") })
  .prefault({})
  .describe("when training saves");

const exportSection = z
  .strictObject({
    form: z.literal("packed").default("packed").describe("packed: 2-, 4-, 8- and 16-bit tensors as they are"),
  })
  .prefault({})
  .describe("the ONNX file");

/** A run, as a configuration file describes it: strict, every field with its meaning and default. */
export const configSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,99}$/u,
        "letters, digits, . _ - and spaces, at most 100, a letter or digit first",
      )
      .describe("name of the run and of its folder; without it, the file's"),
    note: z.string().default("").describe("free text for the report"),
    seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1).describe("what all randomness is a function of"),
    data,
    network,
    method,
    training,
    engine,
    checkpoint,
    export: exportSection,
  })
  .superRefine(({ training, data }, context) => {
    for (const name of ["weights", "gates", "ranges"] as const) {
      const { schedule } = training[name];
      if (schedule.name === "multistep" && schedule.milestones.some((milestone) => milestone >= training.epochs)) {
        const message = `expected milestones before the last epoch (training.epochs is ${training.epochs})`;
        context.addIssue({
          code: "custom",
          path: ["training", name, "schedule", "milestones"],
          message,
          input: schedule.milestones,
        });
      }
    }
    if (data.limit?.train !== undefined && data.limit.train * (1 - data.validationShare) < 2) {
      const message = "expected at least 2 training images to be left: ranges start from two";
      context.addIssue({ code: "custom", path: ["data", "limit", "train"], message, input: data.limit.train });
    }
  });

export type RunConfig = z.output<typeof configSchema>;
