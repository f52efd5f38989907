import { z } from "zod";
import { count } from "./numbers.ts";

const warnOrStop = z.enum(["warn", "stop"]);

export const guards = z
  .strictObject({
    nonFinite: z
      .enum(["stop", "skip"])
      .default("stop")
      .describe("a loss or gradient that is not finite: end the run, or leave the step's update out and warn"),
    rangeFloor: warnOrStop
      .default("warn")
      .describe("a quantizer's range has shrunk to its floor: hold it there and warn, or end the run"),
    lastChannel: z
      .enum(["hold", "stop"])
      .default("hold")
      .describe("a layer would lose its last channel: hold that channel's gate open and warn, or end the run"),
    uniformBits: z
      .strictObject({
        epochs: count.default(5).describe("for how many epochs in a row"),
        action: warnOrStop.default("warn").describe("what then happens"),
      })
      .prefault({})
      .describe("all tensors at 32 bits, or all at 2: the prior does nothing, or all"),
    diverged: z
      .strictObject({
        factor: z
          .number()
          .gt(1)
          .default(10)
          .describe(
            "an epoch's mean loss is this many times that of the first step, or of a network that looks at no image where that is more",
          ),
        action: warnOrStop.default("warn").describe("what then happens, and at chance level in the end"),
      })
      .prefault({})
      .describe(
        "all numbers are finite, but nothing was learned: the loss is far above its start, or a metric of the finished network no better than chance",
      ),
    noImprovement: z
      .strictObject({
        epochs: count.default(20).describe("for how many epochs in a row"),
        action: z
          .enum(["warn", "finish"])
          .default("warn")
          .describe("what then happens; finish: end training and export"),
      })
      .prefault({})
      .describe("the mean training loss has not fallen below its lowest value"),
  })
  .prefault({})
  .describe("what happens when training goes wrong; the last good state is kept in any case");
