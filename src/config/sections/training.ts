import { z } from "zod";
import { guards } from "./guards.ts";
import { count, positive } from "./numbers.ts";

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

export const training = z
  .strictObject({
    epochs: count.describe("passes over the training images"),
    weights: group("weights and biases", "linear-decay"),
    gates: group("the gates' parameters", "constant"),
    ranges: group("the quantizers' ranges", "constant"),
    guards,
  })
  .describe("how long and with which optimizers");
